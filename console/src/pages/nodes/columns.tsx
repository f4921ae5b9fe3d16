/** The columns and the filterable properties of the list of nodes. */

import Box from '@cloudscape-design/components/box';
import Link from '@cloudscape-design/components/link';

import { href } from '../../router/location.ts';
import { pathOf } from '../../router/route.ts';
import { nodesTexts } from '../../texts/nodes.ts';
import type { Column } from '../../ui/table/FilteredTable.tsx';
import type { Property } from '../../ui/table/filter.ts';
import { visibleLine } from '../../ui/visible.ts';
import { nameOf, platformOf, type Node } from './node.ts';
import { statusText } from './NodeStatus.tsx';

const titles = nodesTexts.columns;
const groups = nodesTexts.groups;

export const columns: readonly Column<Node>[] = [
  {
    id: 'name',
    header: titles.name,
    isRowHeader: true,
    minWidth: 170,
    text: nameOf,
    cell: (node) => (
      <>
        <Link href={href(pathOf('/nodes/:nodeId', { nodeId: node.InstanceId }))}>{visibleLine(nameOf(node))}</Link>
        {nameOf(node) !== node.InstanceId && (
          <Box variant="small" display="block" color="text-body-secondary">
            {visibleLine(node.InstanceId)}
          </Box>
        )}
      </>
    ),
  },
  { id: 'platform', header: titles.platform, width: 140, text: platformOf, cell: (node) => visibleLine(platformOf(node)) || '–' },
  {
    id: 'agent',
    header: titles.agent,
    width: 115,
    text: (node) => node.AgentVersion ?? '',
    cell: (node) => visibleLine(node.AgentVersion ?? '–'),
  },
  { id: 'ip', header: titles.ip, width: 125, text: (node) => node.IPAddress ?? '', cell: (node) => visibleLine(node.IPAddress ?? '–') },
];

export const properties: readonly Property<Node>[] = [
  { key: 'name', label: titles.name, groupLabel: groups.name, text: nameOf },
  { key: 'id', label: titles.id, groupLabel: groups.id, text: (node) => node.InstanceId },
  { key: 'status', label: titles.status, groupLabel: groups.status, text: (node) => statusText(node.PingStatus) },
  { key: 'platform', label: titles.platform, groupLabel: groups.platform, text: platformOf },
  { key: 'platformType', label: titles.platformType, groupLabel: groups.platformType, text: (node) => node.PlatformType ?? '' },
  { key: 'computer', label: titles.computer, groupLabel: groups.computer, text: (node) => node.ComputerName ?? '' },
  { key: 'agent', label: titles.agent, groupLabel: groups.agent, text: (node) => node.AgentVersion ?? '' },
  { key: 'ip', label: titles.ip, groupLabel: groups.ip, text: (node) => node.IPAddress ?? '' },
  { key: 'role', label: titles.role, groupLabel: groups.role, text: (node) => node.IamRole ?? '' },
  { key: 'activation', label: titles.activation, groupLabel: groups.activation, text: (node) => node.ActivationId ?? '' },
  { key: 'tag', label: nodesTexts.tag, groupLabel: groups.tags, text: () => '', isOfServer: true },
];
