/** The tags of nodes: read a node at a time, kept for the page, changed by difference. */

import { useEffect, useSyncExternalStore } from 'react';

import { call } from '../../api/call.ts';
import { isAbort } from '../../api/errors.ts';
import * as ssm from '../../api/generated/ssm.ts';
import { nodesTexts } from '../../texts/nodes.ts';

export type Tag = ssm.Tag;

/** The most tags of a node. Source: AWS SSM API reference, AddTagsToResource. */
export const TAGS_MAX = 50;
/** Requests at a time. */
const LANES = 4;

const listeners = new Set<() => void>();
let known: ReadonlyMap<string, readonly Tag[]> = new Map();

/** Reads the tags of these nodes where they are not known. */
export function useTags(nodeIds: readonly string[]): ReadonlyMap<string, readonly Tag[]> {
  const key = nodeIds.join(' ');
  useEffect(() => {
    const gone = new AbortController();
    const open = key.split(' ').filter((nodeId) => nodeId !== '' && !known.has(nodeId));
    for (let lane = 0; lane < LANES; lane += 1) {
      void drain(open, gone.signal);
    }
    return () => gone.abort();
  }, [key]);
  return useSyncExternalStore(subscribe, () => known);
}

/** Reads the tags of a node. */
export async function readTags(nodeId: string, signal: AbortSignal): Promise<readonly Tag[]> {
  const output = await call(ssm.ListTagsForResource, { ResourceType: 'ManagedInstance', ResourceId: nodeId }, signal);
  const tags = [...(output.TagList ?? [])].sort((a, b) => (a.Key < b.Key ? -1 : 1));
  know(nodeId, tags);
  return tags;
}

/** Makes the tags of a node exactly these. */
export async function writeTags(nodeId: string, before: readonly Tag[], after: readonly Tag[]): Promise<void> {
  const resource = { ResourceType: 'ManagedInstance', ResourceId: nodeId } as const;
  const { set, removed } = difference(before, after);
  if (removed.length > 0) {
    await call(ssm.RemoveTagsFromResource, { ...resource, TagKeys: removed });
  }
  if (set.length > 0) {
    await call(ssm.AddTagsToResource, { ...resource, Tags: set });
  }
  know(nodeId, after);
}

/** What takes one set of tags to another. */
export function difference(before: readonly Tag[], after: readonly Tag[]): { set: Tag[]; removed: string[] } {
  const old = new Map(before.map(({ Key, Value }) => [Key, Value]));
  const kept = new Set(after.map(({ Key }) => Key));
  return {
    set: after.filter(({ Key, Value }) => old.get(Key) !== Value),
    removed: [...old.keys()].filter((key) => !kept.has(key)),
  };
}

/** Asks for one after the other. A node whose tags cannot be read has none to show. */
async function drain(open: string[], signal: AbortSignal): Promise<void> {
  for (let nodeId = open.shift(); nodeId !== undefined && !signal.aborted; nodeId = open.shift()) {
    try {
      await readTags(nodeId, signal);
    } catch (error) {
      if (isAbort(error)) {
        return;
      }
      know(nodeId, []);
    }
  }
}

function know(nodeId: string, tags: readonly Tag[]): void {
  known = new Map(known).set(nodeId, tags);
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What is wrong with a key. Source of the limits: the model of `Tag`. */
export function keyProblem(tags: readonly Tag[], index: number): string | undefined {
  const texts = nodesTexts.tagsForm;
  const key = tags[index]?.Key ?? '';
  if (key === '') {
    return texts.keyMissing;
  }
  if (key.length > 128) {
    return texts.keyLong;
  }
  if (key.toLowerCase().startsWith('aws:')) {
    return texts.keyReserved;
  }
  return tags.some((tag, at) => at < index && tag.Key === key) ? texts.keyTwice : undefined;
}

/** What is wrong with a value. */
export function valueProblem({ Value }: Tag): string | undefined {
  return Value.length > 256 ? nodesTexts.tagsForm.valueLong : undefined;
}
