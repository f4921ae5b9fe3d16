/** AWS's Query protocol: a form goes out, XML comes back. */

import { ApiError, ConnectionError } from './errors.ts';
import { refuse, type HttpAnswer, type HttpRequest } from './http.ts';
import type { QueryService, Shape, Structure } from './operation.ts';

export function queryRequest(service: QueryService, operation: string, input: object): HttpRequest {
  const form = new URLSearchParams({ Action: operation, Version: service.version });
  addMembers(form, '', input);
  return {
    method: 'POST',
    path: '/',
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8',
      // In place of a signature's scope.
      'X-Postern-Service': service.name,
    },
    body: form.toString(),
  };
}

/** The output, or the error that the answer carries. */
export function queryOutput(answer: HttpAnswer, operation: string, output: Structure): unknown {
  const root = new DOMParser().parseFromString(answer.text, 'text/xml').documentElement;
  if (root?.localName === `${operation}Response` && answer.status === 200) {
    const result = child(root, `${operation}Result`);
    return result ? structure(result, output) : {};
  }
  const error = root?.localName === 'ErrorResponse' ? child(root, 'Error') : undefined;
  if (!error) {
    throw new ConnectionError(`the answer cannot be read (status ${answer.status})`);
  }
  const code = childText(error, 'Code');
  return refuse(new ApiError(code, childText(error, 'Message') || code, answer.status));
}

function addMembers(form: URLSearchParams, prefix: string, members: object): void {
  for (const [name, value] of Object.entries(members)) {
    add(form, prefix + name, value);
  }
}

/** IAM and STS number the items of all their lists with `member`, and take no maps. */
function add(form: URLSearchParams, name: string, value: unknown): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => add(form, `${name}.member.${index + 1}`, item));
  } else if (typeof value === 'object' && value !== null) {
    addMembers(form, `${name}.`, value);
  } else if (value !== undefined && value !== null) {
    form.append(name, String(value));
  }
}

function structure(element: Element, shape: Structure): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const member of element.children) {
    members[member.localName] = value(member, shape[member.localName] ?? 's');
  }
  // An empty list may be left out; whoever reads the output need not know.
  for (const [name, member] of Object.entries(shape)) {
    if (isList(member) && !(name in members)) {
      members[name] = [];
    }
  }
  return members;
}

function value(element: Element, shape: Shape): unknown {
  if (isList(shape)) {
    return [...element.children].map((item) => value(item, shape[0]));
  }
  if (isMap(shape)) {
    return Object.fromEntries([...element.children].map((entry) => [childText(entry, 'key'), entryValue(entry, shape[1])]));
  }
  const text = element.textContent ?? '';
  switch (shape) {
    case 's':
      return text;
    case 'n':
      return Number(text);
    case 'b':
      return text === 'true';
    case 't':
      return Date.parse(text) / 1000;
    default:
      return structure(element, shape as Structure);
  }
}

function entryValue(entry: Element, shape: Shape): unknown {
  const element = child(entry, 'value');
  return element && value(element, shape);
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape) && shape.length === 1;
}

function isMap(shape: Shape): shape is readonly [Shape, Shape] {
  return Array.isArray(shape) && shape.length === 2;
}

function child(element: Element, name: string): Element | undefined {
  return [...element.children].find((candidate) => candidate.localName === name);
}

function childText(element: Element, name: string): string {
  return child(element, name)?.textContent ?? '';
}
