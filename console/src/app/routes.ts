/** Every page of the console. An area that lies elsewhere has its own list of routes. */

import { routes as access } from '../pages/access/routes.ts';
import { routes as account } from '../pages/account/routes.ts';
import { routes as audit } from '../pages/audit/routes.ts';
import { routes as documents } from '../pages/documents/routes.ts';
import { routes as nodes } from '../pages/nodes/routes.ts';
import { routes as preferences } from '../pages/preferences/routes.ts';
import { routes as recordings } from '../pages/recordings/routes.ts';
import { routes as sessions } from '../pages/sessions/routes.ts';
import { routes as settings } from '../pages/settings/routes.ts';
import { routes as replay } from '../replay/routes.ts';
import type { Route } from '../router/route.ts';
import { routes as terminal } from '../terminal/routes.ts';

export const routes: readonly Route[] = [
  ...nodes,
  ...sessions,
  ...terminal,
  ...replay,
  ...recordings,
  ...documents,
  ...preferences,
  ...access,
  ...audit,
  ...settings,
  ...account,
];

/** Where `/console/` leads. */
export const FIRST_PATH = '/nodes';
