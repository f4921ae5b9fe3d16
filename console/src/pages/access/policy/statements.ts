/** Statements of a policy by their number, which stays when the text is written in another form. */

import { member, parseJson, type Node } from './json.ts';
import { offsetOf, type Position, type Span } from '../../../ui/code/position.ts';

/** Where each statement stands; nothing if the text is no policy. */
export function statementSpans(text: string): readonly Span[] {
  const parsed = parseJson(text);
  const statements = parsed.ok ? member(parsed.root, 'Statement') : undefined;
  if (statements === undefined) {
    return [];
  }
  const nodes: readonly Node[] = statements.kind === 'array' ? statements.items : [statements];
  return nodes.map(({ start, end }) => ({ start, end }));
}

/** The number, from 1, of the statement at a place that the server names; nothing if none is there. */
export function statementAt(text: string, position: Position): number | undefined {
  const offset = offsetOf(text, position);
  const index = statementSpans(text).findIndex(({ start, end }) => start <= offset && offset < end);
  return index < 0 ? undefined : index + 1;
}
