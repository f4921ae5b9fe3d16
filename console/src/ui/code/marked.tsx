/** The parts that an editor and a view of a text have in common. */

import type { Diagnostic } from './diagnostic.ts';
import { segmentsOf, type Mark } from './segments.ts';

interface MarkedProps {
  readonly text: string;
  readonly marks: readonly Mark[];
  /** What is shown of a piece of the text. */
  readonly shown: (text: string) => string;
}

export function Marked({ text, marks, shown }: MarkedProps) {
  return segmentsOf(text, marks).map(({ start, text: piece, kind }) =>
    kind ? (
      <mark key={start} className={kind}>
        {shown(piece)}
      </mark>
    ) : (
      <span key={start}>{shown(piece)}</span>
    ),
  );
}

interface LineNumbersProps {
  readonly text: string;
  readonly diagnostics?: readonly Diagnostic[];
}

const SIGNS = { error: '\u2716 ', warning: '\u26a0\ufe0e ' };
const NONE: readonly Diagnostic[] = [];

/** Decoration: what is wrong in which line is also said in words. */
export function LineNumbers({ text, diagnostics = NONE }: LineNumbersProps) {
  const numbers = Array.from(text.split('\n'), (_, index) => index + 1);
  return (
    <div className="code-lines" aria-hidden="true">
      {numbers.map((number) => {
        const severity = severityOf(diagnostics, number);
        return (
          <div key={number} className={severity && `code-line-${severity}`}>
            {severity && SIGNS[severity]}
            {number}
          </div>
        );
      })}
    </div>
  );
}

function severityOf(diagnostics: readonly Diagnostic[], line: number): Diagnostic['severity'] | undefined {
  const there = diagnostics.filter((diagnostic) => diagnostic.line === line);
  return there.find(({ severity }) => severity === 'error')?.severity ?? there[0]?.severity;
}
