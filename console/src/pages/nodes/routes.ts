import type { Route } from '../../router/route.ts';
import { frameTexts } from '../../texts/frame.ts';

const area = { text: frameTexts.navigation.nodes, path: '/nodes' };

export const routes: readonly Route[] = [
  {
    pattern: '/nodes',
    title: () => frameTexts.navigation.nodes,
    crumbs: () => [area],
    layout: 'table',
    load: () => import('./NodesPage.tsx'),
  },
];
