/** What the simulator is asked, as the address has it and as IAM takes it. */

import type { ContextEntry } from '../../../api/generated/iam.ts';

/** A key of the request with its values, separated by commas as they were typed. */
export interface ContextKey {
  readonly key: string;
  readonly values: string;
}

export interface Question {
  /** The ARN of a user, group or role; empty for a policy of one's own. */
  readonly principal: string;
  /** Separated by commas or spaces. */
  readonly actions: string;
  /** Separated by spaces. */
  readonly resources: string;
  readonly context: readonly ContextKey[];
}

/** A context key that no policy needs: the server explains in words if it is there (crates/server, routes/iam/simulation.rs). */
const EXPLAIN_KEY = 'postern:Explain';
/** Keys that are lists even with one value. Source: the data types in the Service Authorization Reference. */
const LISTS = new Set(['aws:calledvia', 'aws:tagkeys', 'ssm:documentcategories', 'ssm:documentversion', 'sts:transitivetagkeys']);

export function questionOf(query: URLSearchParams): Question {
  const context = query.getAll('context').map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? { key: pair, values: '' } : { key: pair.slice(0, at), values: pair.slice(at + 1) };
  });
  return {
    principal: query.get('principal') ?? '',
    actions: query.get('action') ?? '',
    resources: query.get('resource') ?? '*',
    context,
  };
}

export function queryOf({ principal, actions, resources, context }: Question): URLSearchParams {
  const query = new URLSearchParams();
  const set = (name: string, value: string) => value !== '' && query.set(name, value);
  set('principal', principal);
  set('action', actions);
  set('resource', resources);
  context.filter(({ key }) => key !== '').forEach(({ key, values }) => query.append('context', `${key}=${values}`));
  return query;
}

export function actionsOf({ actions }: Question): string[] {
  return actions.split(/[\s,]+/).filter((action) => action !== '');
}

export function resourcesOf({ resources }: Question): string[] {
  const found = resources.split(/\s+/).filter((resource) => resource !== '');
  return found.length === 0 ? ['*'] : found;
}

/** The context as IAM takes it, with the wish for an explanation. */
export function entriesOf(context: readonly ContextKey[]): ContextEntry[] {
  const given = context.filter(({ key }) => key.trim() !== '').map(({ key, values }) => entryOf(key.trim(), values));
  return [...given, entryOf(EXPLAIN_KEY, 'true')];
}

function entryOf(key: string, values: string): ContextEntry {
  const list = values.split(',').map((value) => value.trim());
  const isList = list.length > 1 || LISTS.has(key.toLowerCase());
  return {
    ContextKeyName: key,
    ContextKeyType: isList ? 'stringList' : 'string',
    ContextKeyValues: isList ? list : [values],
  };
}

/** The nodes among the resources, whose tags belong to the request. */
export function nodesOf(question: Question): string[] {
  return resourcesOf(question).flatMap((resource) => {
    const [, node] = /^arn:aws:ssm:[^:]*:[^:]*:managed-instance\/([^*?/]+)$/.exec(resource) ?? [];
    return node === undefined ? [] : [node];
  });
}

/** The context with a node's tags under both names that policies use. What is given goes before them. */
export function withTags(context: readonly ContextKey[], tags: readonly { Key: string; Value: string }[]): readonly ContextKey[] {
  const given = new Set(context.map(({ key }) => key.toLowerCase()));
  const added = tags.flatMap(({ Key, Value }) => {
    const keys = [`ssm:resourceTag/${Key}`, `aws:ResourceTag/${Key}`];
    return keys.some((key) => given.has(key.toLowerCase())) ? [] : keys.map((key) => ({ key, values: Value }));
  });
  return [...context, ...added];
}
