/** The parts of this area. */

import type { ReactNode } from 'react';

import Tabs from '@cloudscape-design/components/tabs';

import { href } from '../../router/location.ts';
import { auditTexts } from '../../texts/audit.ts';

interface Props {
  readonly active: 'events' | 'trail';
  readonly children: ReactNode;
}

export function AuditTabs({ active, children }: Props) {
  const { label, events, trail } = auditTexts.areas;
  return (
    <Tabs
      ariaLabel={label}
      activeTabId={active}
      tabs={[
        { id: 'events', label: events, href: href('/audit'), content: active === 'events' && children },
        { id: 'trail', label: trail, href: href('/audit/trail'), content: active === 'trail' && children },
      ]}
    />
  );
}
