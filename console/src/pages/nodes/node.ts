/** A node as the pages show it. */

import { all, call, pages } from '../../api/call.ts';
import * as ssm from '../../api/generated/ssm.ts';
import { nodesTexts } from '../../texts/nodes.ts';
import type { Progress } from '../../ui/resource.ts';

export type Node = ssm.InstanceInformation & { readonly InstanceId: string };

/** The most that one answer may hold. Source: AWS SSM API reference, DescribeInstanceInformation. */
const PAGE_NODES = 50;

/** A filter of the server's: `Values` of a `Key`. */
export type NodeFilter = ssm.InstanceInformationStringFilter;

/** Reads the nodes that pass the filters, and tells of them while more come. */
export async function readNodes(filters: readonly NodeFilter[], signal: AbortSignal, progress?: Progress<readonly Node[]>): Promise<readonly Node[]> {
  const input = { MaxResults: PAGE_NODES, ...(filters.length > 0 && { Filters: filters }) };
  const nodes: Node[] = [];
  let told = 0;
  for await (const page of pages(ssm.DescribeInstanceInformation, input, signal)) {
    nodes.push(...(page.InstanceInformationList ?? []).filter(hasId));
    // Each time that there are twice as many: all of them are sorted anew whenever some are shown.
    if (nodes.length >= 2 * told) {
      told = nodes.length;
      progress?.([...nodes]);
    }
  }
  return nodes;
}

/** The node of that id, if there is one. */
export async function readNode(nodeId: string, signal: AbortSignal): Promise<Node | undefined> {
  const [node] = await readNodes([{ Key: 'InstanceIds', Values: [nodeId] }], signal);
  return node;
}

/** Whether a session could start now. */
export async function readConnection(nodeId: string, signal: AbortSignal): Promise<ssm.ConnectionStatus | undefined> {
  const output = await call(ssm.GetConnectionStatus, { Target: nodeId }, signal);
  return output.Status;
}

/** The live sessions of a node. */
export function readSessionsOf(nodeId: string, signal: AbortSignal): Promise<readonly ssm.Session[]> {
  const input: ssm.DescribeSessionsInput = { State: 'Active', Filters: [{ key: 'Target', value: nodeId }] };
  return all(ssm.DescribeSessions, input, (page) => page.Sessions, signal);
}

/** What people call it: the name that was given, else the computer's, else its id. */
export function nameOf(node: Node): string {
  return node.Name || node.ComputerName || node.InstanceId;
}

/** What its agent says that it runs. */
export function platformOf(node: Node): string {
  return nodesTexts.details.platform(node.PlatformName ?? node.PlatformType ?? '', node.PlatformVersion ?? '');
}

function hasId(node: ssm.InstanceInformation): node is Node {
  return node.InstanceId !== undefined;
}
