/** The kinds of things in this area, above each list of them. */

import type { ReactNode } from 'react';

import Tabs from '@cloudscape-design/components/tabs';

import { href } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { accessPaths } from '../paths.ts';

const AREAS = ['users', 'groups', 'roles', 'policies', 'providers', 'simulator'] as const;

interface Props {
  readonly active: (typeof AREAS)[number];
  readonly children: ReactNode;
}

export function AccessTabs({ active, children }: Props) {
  const texts = accessTexts.areas;
  return (
    <Tabs
      ariaLabel={texts.label}
      activeTabId={active}
      tabs={AREAS.map((id) => ({ id, label: texts[id], href: href(accessPaths[id]), content: id === active && children }))}
    />
  );
}
