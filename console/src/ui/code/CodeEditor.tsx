/** A text area with numbered lines and marks under its text. Tab leaves it, as it leaves every field. */

import { useImperativeHandle, useRef, type Ref } from 'react';

import './code.css';

import { LineNumbers, Marked } from './marked.tsx';
import type { Diagnostic } from './diagnostic.ts';
import { wordAt } from './segments.ts';

/** What others can do with an editor. */
export interface CodeEditorHandle {
  /** Puts the cursor to a place, in UTF-16 units. */
  goTo: (offset: number) => void;
}

interface Props {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly label: string;
  readonly diagnostics: readonly Diagnostic[];
  /** The element that says what is wrong. */
  readonly describedBy: string;
  readonly ref?: Ref<CodeEditorHandle>;
}

export function CodeEditor({ value, onChange, label, diagnostics, describedBy, ref }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  useImperativeHandle(ref, () => ({ goTo: (offset) => select(area.current, value, offset) }), [value]);
  const marks = diagnostics.map(({ offset, severity }) => ({ ...wordAt(value, offset), kind: severity }));
  return (
    <div className="code">
      <LineNumbers text={value} diagnostics={diagnostics} />
      <div className="code-stack">
        <pre aria-hidden="true">
          {/* A last line that is empty has no height of its own. */}
          <Marked text={value} marks={marks} shown={asItIs} />{' '}
        </pre>
        <textarea
          ref={area}
          value={value}
          aria-label={label}
          aria-describedby={describedBy}
          aria-invalid={diagnostics.some(({ severity }) => severity === 'error')}
          autoCapitalize="off"
          autoComplete="off"
          autoCorrect="off"
          spellCheck={false}
          wrap="off"
          onChange={(event) => onChange(event.target.value)}
        />
      </div>
    </div>
  );
}

function asItIs(text: string): string {
  return text;
}

function select(area: HTMLTextAreaElement | null, value: string, offset: number): void {
  if (!area) {
    return;
  }
  const { start, end } = wordAt(value, offset);
  area.focus();
  area.setSelectionRange(start, end);
  // The frame scrolls, not the text area; browsers follow the cursor only when somebody types.
  const line = value.slice(0, start).split('\n').length - 1;
  const frame = area.closest('.code');
  const lineHeight = Number.parseFloat(getComputedStyle(area).lineHeight);
  frame?.scrollTo({ top: Math.max(0, line * lineHeight - frame.clientHeight / 2) });
}
