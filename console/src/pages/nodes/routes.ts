import { pathOf, type Crumb, type Route } from '../../router/route.ts';
import { addNodeTexts } from '../../texts/add-node.ts';
import { frameTexts } from '../../texts/frame.ts';
import { visibleLine } from '../../ui/visible.ts';

const area: Crumb = { text: frameTexts.navigation.nodes, path: '/nodes' };

export const routes: readonly Route[] = [
  {
    pattern: '/nodes',
    title: () => area.text,
    crumbs: () => [area],
    layout: 'table',
    load: () => import('./NodesPage.tsx'),
  },
  {
    pattern: '/nodes/add',
    title: () => addNodeTexts.title,
    crumbs: () => [area, { text: addNodeTexts.title, path: '/nodes/add' }],
    layout: 'form',
    load: () => import('./add/AddNodePage.tsx'),
  },
  {
    pattern: '/nodes/:nodeId',
    title: ({ nodeId = '' }) => visibleLine(nodeId),
    crumbs: ({ nodeId = '' }) => [area, { text: visibleLine(nodeId), path: pathOf('/nodes/:nodeId', { nodeId }) }],
    layout: 'default',
    load: () => import('./details/NodePage.tsx'),
  },
];
