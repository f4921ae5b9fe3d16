/** The column that says whether a node is there, since when, and why not. */

import Box from '@cloudscape-design/components/box';

import { nodesTexts } from '../../texts/nodes.ts';
import type { Column } from '../../ui/table/FilteredTable.tsx';
import { Time } from '../../ui/Time.tsx';
import type { Connection } from './connections.ts';
import { ConnectionNote } from './ConnectionText.tsx';
import type { Node } from './node.ts';
import { NodeStatus, statusText } from './NodeStatus.tsx';

/** Where it is not known how the node is connected, it says when it was last heard from. */
export function statusColumn(connections: ReadonlyMap<string, Connection>): Column<Node> {
  return {
    id: 'status',
    header: nodesTexts.columns.status,
    minWidth: 170,
    text: (node) => statusText(node.PingStatus),
    cell: (node) => {
      const connection = connections.get(node.InstanceId);
      return (
        <>
          <NodeStatus status={node.PingStatus} />
          <Box variant="small" display="block" color="text-body-secondary">
            {connection ? <ConnectionNote connection={connection} /> : <Time at={node.LastPingDateTime} form="relative" />}
          </Box>
        </>
      );
    },
  };
}
