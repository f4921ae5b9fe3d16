/** AWS's JSON 1.1 protocol. */

import { ApiError, ConnectionError } from './errors.ts';
import { refuse, type HttpAnswer, type HttpRequest } from './http.ts';
import type { JsonService } from './operation.ts';

export function jsonRequest(service: JsonService, operation: string, input: object): HttpRequest {
  return {
    method: 'POST',
    path: '/',
    headers: {
      'Content-Type': 'application/x-amz-json-1.1',
      'X-Amz-Target': `${service.targetPrefix}.${operation}`,
    },
    body: JSON.stringify(input),
  };
}

/** The output, or the error that the answer carries. */
export function jsonOutput(answer: HttpAnswer): unknown {
  const body = parsed(answer);
  if (answer.status === 200) {
    return body;
  }
  const { __type: type, message, Message } = body;
  if (typeof type !== 'string') {
    throw new ConnectionError(`the server answered ${answer.status}`);
  }
  const code = type.slice(type.lastIndexOf('#') + 1);
  const text = [message, Message].find((candidate) => typeof candidate === 'string');
  return refuse(new ApiError(code, text ?? code, answer.status, body));
}

function parsed(answer: HttpAnswer): Record<string, unknown> {
  try {
    const body: unknown = answer.text === '' ? {} : JSON.parse(answer.text);
    if (typeof body === 'object' && body !== null) {
      return body as Record<string, unknown>;
    }
  } catch {
    // Told below.
  }
  throw new ConnectionError(`the answer cannot be read (status ${answer.status})`);
}
