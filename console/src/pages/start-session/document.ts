/** Session documents: what they are for, and which parameters they take. */

import { all, call } from '../../api/call.ts';
import * as ssm from '../../api/generated/ssm.ts';

/** What the form offers. */
export interface DocumentChoice {
  readonly name: string;
}

/** What the form must know of a document. */
export interface SessionDocument {
  readonly name: string;
  readonly description: string;
  readonly sessionType: string;
  readonly parameters: readonly DocumentParameter[];
}

export interface DocumentParameter {
  readonly name: string;
  readonly type: 'String' | 'StringList' | 'Boolean';
  readonly description: string;
  /** As it is typed: a list has one value a line. */
  readonly default: string | undefined;
  readonly allowedValues: readonly string[];
  readonly allowedPattern: string | undefined;
}

/** Reads the documents that sessions are started with. */
export async function readDocuments(signal: AbortSignal): Promise<readonly DocumentChoice[]> {
  const input: ssm.ListDocumentsInput = { MaxResults: 50, Filters: [{ Key: 'DocumentType', Values: ['Session'] }] };
  const found = await all(ssm.ListDocuments, input, (page) => page.DocumentIdentifiers, signal);
  return found.flatMap(({ Name }) => (Name === undefined ? [] : [{ name: Name }]));
}

/** Reads one document. */
export async function readDocument(name: string, signal: AbortSignal): Promise<SessionDocument> {
  const { Content = '' } = await call(ssm.GetDocument, { Name: name, DocumentFormat: 'JSON' }, signal);
  return parseDocument(name, Content);
}

/** Takes a document's content apart. What is not of the expected form is left out: the server checks what is sent. */
export function parseDocument(name: string, content: string): SessionDocument {
  const document = object(JSON.parse(content));
  const parameters = Object.entries(object(document['parameters'])).map(([parameter, value]) => parameterOf(parameter, object(value)));
  return { name, description: text(document['description']), sessionType: text(document['sessionType']), parameters };
}

/** The input's `Parameters`: what was typed, without what is as the document has it. */
export function parametersOf(document: SessionDocument, typed: Readonly<Record<string, string>>): Record<string, readonly string[]> {
  const given: Record<string, readonly string[]> = {};
  for (const parameter of document.parameters) {
    const value = typed[parameter.name] ?? parameter.default ?? '';
    if (value !== '' && value !== parameter.default) {
      given[parameter.name] = parameter.type === 'StringList' ? value.split('\n').filter((line) => line !== '') : [value];
    }
  }
  return given;
}

/** What is wrong with a value, if the browser can tell. */
export type ParameterProblem = 'missing' | 'not-allowed';

export function problemOfValue(parameter: DocumentParameter, value: string): ParameterProblem | undefined {
  if (value === '') {
    return parameter.default === undefined ? 'missing' : undefined;
  }
  return parameter.allowedPattern === undefined || fits(parameter.allowedPattern, value) ? undefined : 'not-allowed';
}

/** A pattern that this browser cannot read is the server's to check. */
function fits(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern).test(value);
  } catch {
    return true;
  }
}

function parameterOf(name: string, value: Readonly<Record<string, unknown>>): DocumentParameter {
  const type = value['type'] === 'StringList' || value['type'] === 'Boolean' ? value['type'] : 'String';
  const allowed = value['allowedValues'];
  const pattern = value['allowedPattern'];
  return {
    name,
    type,
    description: text(value['description']),
    default: typedDefault(value['default']),
    allowedValues: Array.isArray(allowed) ? allowed.map(String) : [],
    allowedPattern: typeof pattern === 'string' ? pattern : undefined,
  };
}

function typedDefault(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    return value.map(String).join('\n');
  }
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number' ? String(value) : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
