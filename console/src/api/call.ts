/** AWS's operations, called as the one who is signed in. */

import { ApiError, ConnectionError } from './errors.ts';
import { send, type HttpAnswer, type HttpRequest } from './http.ts';
import { jsonOutput, jsonRequest } from './json.ts';
import type { Operation } from './operation.ts';
import { queryOutput, queryRequest } from './query.ts';

/** Operations that change nothing may be asked again. */
const SAFE = /^(?:Describe|Get|List|Lookup|Simulate)(?!SessionToken)/;
/** The pauses before asking again, in milliseconds. */
const RETRY_AFTER_MS = [200, 800];
const THROTTLED = new Set(['Throttling', 'ThrottlingException', 'TooManyRequestsException']);

/**
 * Calls an operation.
 *
 * Throws `ApiError` when the server refuses, `ConnectionError` when no answer comes, and what `signal` was aborted with.
 */
export async function call<Input extends object, Output>(
  operation: Operation<Input, Output>,
  input: Input,
  signal?: AbortSignal,
): Promise<Output> {
  const pauses = SAFE.test(operation.name) ? [...RETRY_AFTER_MS] : [];
  for (;;) {
    try {
      return await once(operation, input, signal);
    } catch (error) {
      const pause = pauses.shift();
      if (pause === undefined || !mayPass(error)) {
        throw error;
      }
      await wait(pause * (0.5 + Math.random()), signal);
    }
  }
}

/** Calls an operation of a JSON service as the last thing that a page does. Nobody sees the answer. */
export function callLast<Input extends object>(operation: Operation<Input, unknown>, input: Input): void {
  const { service, name } = operation;
  if (service.protocol === 'json') {
    send({ ...jsonRequest(service, name, input), outlivesPage: true }).catch(() => {});
  }
}

/** The pages of a list, one call each. */
export async function* pages<Input extends object, Output extends object>(
  operation: Operation<Input, Output>,
  input: Input,
  signal?: AbortSignal,
): AsyncGenerator<Output, void> {
  let place: object | undefined = {};
  while (place) {
    const output: Output = await call(operation, { ...input, ...place }, signal);
    yield output;
    place = nextPlace(output);
  }
}

/** All items of a list that comes in pages, as `member` says which they are. */
export async function all<Input extends object, Output extends object, Item>(
  operation: Operation<Input, Output>,
  input: Input,
  member: (output: Output) => readonly Item[] | undefined,
  signal?: AbortSignal,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of pages(operation, input, signal)) {
    items.push(...(member(page) ?? []));
  }
  return items;
}

async function once<Input extends object, Output>(
  operation: Operation<Input, Output>,
  input: Input,
  signal: AbortSignal | undefined,
): Promise<Output> {
  const { service, name } = operation;
  if (service.protocol === 'json') {
    return jsonOutput(await sendOn(jsonRequest(service, name, input), signal)) as Output;
  }
  const answer = await sendOn(queryRequest(service, name, input), signal);
  return queryOutput(answer, name, operation.output ?? {}) as Output;
}

function sendOn(request: HttpRequest, signal: AbortSignal | undefined): Promise<HttpAnswer> {
  return send({ ...request, signal });
}

/** What the next call must carry: SSM and CloudTrail hand out `NextToken`, IAM `Marker`. */
function nextPlace(output: { NextToken?: string; Marker?: string; IsTruncated?: boolean }): object | undefined {
  if (output.NextToken) {
    return { NextToken: output.NextToken };
  }
  return output.IsTruncated && output.Marker ? { Marker: output.Marker } : undefined;
}

function mayPass(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof ApiError && (error.status >= 500 || THROTTLED.has(error.code)));
}

function wait(duration_ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = window.setTimeout(resolve, duration_ms);
    signal?.addEventListener('abort', () => {
      window.clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
