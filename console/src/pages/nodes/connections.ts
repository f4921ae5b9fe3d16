/** How nodes are connected, since when, and why their last connection closed. */

import { useState } from 'react';

import { all } from '../../api/call.ts';
import { ApiError } from '../../api/errors.ts';
import * as postern from '../../api/generated/postern.ts';
import { nodesTexts } from '../../texts/nodes.ts';
import { useResource } from '../../ui/resource.ts';

export type Connection = postern.NodeConnection;

/** The most that one answer may hold. Source: the model of `DescribeNodeConnections`. */
const PAGE_NODES = 200;

const texts = nodesTexts.connection;

/**
 * Reads how these nodes are connected, and does so again every so often. Who may not is asked for it once: each call is on the
 * trail.
 */
export function useConnections(nodeIds: readonly string[], every_ms: number): ReadonlyMap<string, Connection> {
  const [isDenied, setIsDenied] = useState(false);
  const connections = useResource(
    async (signal) => {
      try {
        return isDenied ? new Map<string, Connection>() : await readConnections(nodeIds, signal);
      } catch (error) {
        if (error instanceof ApiError && error.isDenial) {
          setIsDenied(true);
        }
        throw error;
      }
    },
    [nodeIds],
    isDenied ? {} : { every_ms },
  );
  return connections.value ?? NONE;
}

const NONE: ReadonlyMap<string, Connection> = new Map();

async function readConnections(nodeIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Connection>> {
  const known = new Map<string, Connection>();
  for (let start = 0; start < nodeIds.length; start += PAGE_NODES) {
    const input = { Nodes: nodeIds.slice(start, start + PAGE_NODES), MaxResults: PAGE_NODES };
    for (const connection of await all(postern.DescribeNodeConnections, input, (page) => page.NodeConnections, signal)) {
      known.set(connection.Node ?? '', connection);
    }
  }
  return known;
}

/** Why the last connection of the node closed, in words. Nothing if none ever has, or nobody can say. */
export function closeReason({ LastClose }: Connection): string | undefined {
  const known = new Map(Object.entries(texts.reasons));
  return known.get(LastClose?.Reason ?? '');
}

/** What is to be expected of the agent of a node that is away. Nothing can be said of agents that nobody knows. */
export function expectation({ RetryPauseMaxSeconds }: Connection): string | undefined {
  if (RetryPauseMaxSeconds === undefined) {
    return undefined;
  }
  return RetryPauseMaxSeconds < 120 ? texts.retrySeconds(RetryPauseMaxSeconds) : texts.retryMinutes(Math.round(RetryPauseMaxSeconds / 60));
}
