/** A text with numbered lines, to read. What is invisible or deceptive in it is shown. */

import './code.css';

import { visible } from '../visible.ts';
import { LineNumbers, Marked } from './marked.tsx';
import type { Mark } from './segments.ts';

interface Props {
  readonly text: string;
  readonly label: string;
  readonly marks?: readonly Mark[];
}

const NONE: readonly Mark[] = [];

export function CodeView({ text, label, marks = NONE }: Props) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
    <section className="code" aria-label={label} tabIndex={0}>
      <LineNumbers text={text} />
      <div className="code-stack">
        <pre>
          <Marked text={text} marks={marks} shown={visible} />
        </pre>
      </div>
    </section>
  );
}
