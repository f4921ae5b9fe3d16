/** What is wrong with a policy, or doubtful in it, and where. */

import { accessTexts } from '../../../texts/access.ts';
import { visible } from '../../../ui/visible.ts';
import { doubtOfAction } from './actions.ts';
import { type Node, member, parseJson } from './json.ts';
import type { Diagnostic } from '../../../ui/code/diagnostic.ts';
import { offsetOf, positionOf } from '../../../ui/code/position.ts';

/** What can be said without the server: whether it is JSON at all, of actions that nobody knows, of what cannot be seen. */
export function diagnose(text: string): Diagnostic[] {
  if (text.trim() === '') {
    return [];
  }
  const parsed = parseJson(text);
  if (!parsed.ok) {
    return [at(text, 'error', parsed.fault.message, parsed.fault.offset), ...invisibleIn(text)];
  }
  const doubts = actionsIn(parsed.root).flatMap(({ action, offset }) => {
    const doubt = doubtOfAction(action);
    return doubt === undefined ? [] : [at(text, 'warning', doubt, offset)];
  });
  return [...doubts, ...invisibleIn(text)];
}

/** Characters that a reader of the document does not see, or sees elsewhere. The first of them is enough. */
function invisibleIn(text: string): Diagnostic[] {
  let offset = 0;
  for (const character of text) {
    const shown = visible(character);
    if (shown !== character && character !== '\r') {
      return [at(text, 'warning', accessTexts.editor.invisible(shown), offset)];
    }
    offset += character.length;
  }
  return [];
}

/**
 * What the server said of a policy, taken apart. Its errors end with the value's JSON pointer and place, as
 * `PolicyError` of crates/iam/src/error.rs writes them. Without a place the first line is marked.
 */
export function serverDiagnostic(text: string, message: string): Diagnostic {
  const found = /^(?:Syntax errors in policy: |[A-Za-z]+(?:\.\d+)? is not valid: )?(.*), at (.*), line (\d+) column (\d+)\.?$/s.exec(message);
  const [, reason = message, , line = '1', column = '1'] = found ?? [];
  const position = { line: Number(line), column: Number(column) };
  return { severity: 'error', message: reason, ...position, offset: offsetOf(text, position) };
}

/** The errors first, then by place; the same is said once. */
export function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  const rank = (diagnostic: Diagnostic) => (diagnostic.severity === 'error' ? 0 : 1);
  return [...diagnostics]
    .sort((a, b) => rank(a) - rank(b) || a.offset - b.offset)
    .filter((diagnostic) => {
      const key = `${diagnostic.offset} ${diagnostic.message}`;
      return !seen.has(key) && seen.add(key);
    });
}

function at(text: string, severity: Diagnostic['severity'], message: string, offset: number): Diagnostic {
  return { severity, message, offset, ...positionOf(text, offset) };
}

function actionsIn(root: Node): { action: string; offset: number }[] {
  const statements = listed(member(root, 'Statement'));
  return statements.flatMap((statement) =>
    ['Action', 'NotAction'].flatMap((element) =>
      listed(member(statement, element)).flatMap((node) =>
        node.kind === 'string' ? [{ action: node.text, offset: node.start }] : [],
      ),
    ),
  );
}

function listed(node: Node | undefined): Node[] {
  if (node === undefined) {
    return [];
  }
  return node.kind === 'array' ? node.items : [node];
}
