/** The areas of the console, as the navigation lists them. One without a page yet is not listed. */

import type { SideNavigationProps } from '@cloudscape-design/components/side-navigation';

import { href } from '../router/location.ts';
import { matchRoute } from '../router/route.ts';
import { frameTexts } from '../texts/frame.ts';
import { routes } from './routes.ts';

const texts = frameTexts.navigation;

const AREAS = [
  { text: texts.nodes, path: '/nodes' },
  { text: texts.sessions, path: '/sessions' },
  { text: texts.recordings, path: '/recordings' },
  { text: texts.documents, path: '/documents' },
  { text: texts.preferences, path: '/preferences' },
  { text: texts.access, path: '/access' },
  { text: texts.audit, path: '/audit' },
  { text: texts.settings, path: '/settings' },
];

export function navigationItems(): SideNavigationProps.Item[] {
  return AREAS.filter((area) => matchRoute(routes, area.path)).map(({ text, path }) => ({ type: 'link', text, href: href(path) }));
}

/** The area that a path belongs to. */
export function activeArea(path: string): string {
  const area = AREAS.find((area) => path === area.path || path.startsWith(`${area.path}/`));
  return href(area?.path ?? path);
}
