/** The pages about the audit trail. */

import type { Crumb, Route } from '../../router/route.ts';
import { auditTexts } from '../../texts/audit.ts';
import { frameTexts } from '../../texts/frame.ts';
import { visibleLine } from '../../ui/visible.ts';

const AREA: Crumb = { text: frameTexts.navigation.audit, path: '/audit' };

export const routes: readonly Route[] = [
  {
    pattern: '/audit',
    title: () => auditTexts.events.title,
    crumbs: () => [AREA, { text: auditTexts.areas.events, path: '/audit' }],
    layout: 'default',
    load: () => import('./EventsPage.tsx'),
  },
  {
    pattern: '/audit/trail',
    title: () => auditTexts.trail.title,
    crumbs: () => [AREA, { text: auditTexts.areas.trail, path: '/audit/trail' }],
    layout: 'default',
    load: () => import('./TrailPage.tsx'),
  },
  {
    pattern: '/audit/:eventId',
    title: ({ eventId = '' }) => visibleLine(eventId),
    crumbs: ({ eventId = '' }) => [AREA, { text: visibleLine(eventId), path: `/audit/${encodeURIComponent(eventId)}` }],
    layout: 'default',
    load: () => import('./EventPage.tsx'),
  },
];
