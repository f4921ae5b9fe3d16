/** Where policies are written: what is wrong is told while one writes, with its place. */

import { useId, useMemo, useRef } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { accessTexts } from '../../../texts/access.ts';
import { visible } from '../../../ui/visible.ts';
import { CodeEditor, type CodeEditorHandle } from '../../../ui/code/CodeEditor.tsx';
import { diagnose, inOrder } from './diagnostics.ts';
import type { Diagnostic } from '../../../ui/code/diagnostic.ts';
import { formatted, type Example } from './examples.ts';
import { useServerCheck, type ServerCheck } from './useServerCheck.ts';

const texts = accessTexts.editor;

interface Props {
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** A trust policy is checked only when it is saved: there is no operation that checks one. */
  readonly kind: 'identity' | 'trust';
  readonly examples: readonly Example[];
  /** What the server said when this very text was to be saved. */
  readonly refusal?: Diagnostic | undefined;
  /** How many characters it may have, white space not counted. */
  readonly charactersMax: number;
}

export function PolicyEditor({ value, onChange, kind, examples, refusal, charactersMax }: Props) {
  const editor = useRef<CodeEditorHandle>(null);
  const listId = useId();
  const own = useMemo(() => diagnose(value), [value]);
  const isJson = value.trim() !== '' && !own.some(({ severity }) => severity === 'error');
  const check = useServerCheck(value, isJson && kind === 'identity');
  const diagnostics = inOrder([...own, ...(check.state === 'wrong' ? [check.diagnostic] : []), ...(refusal ? [refusal] : [])]);
  return (
    <SpaceBetween size="xs">
      <SpaceBetween direction="horizontal" size="xs">
        <ButtonDropdown
          items={examples.map(({ id, name }) => ({ id, text: name }))}
          onItemClick={({ detail }) => onChange(examples.find(({ id }) => id === detail.id)?.document ?? value)}
        >
          {texts.template}
        </ButtonDropdown>
        <Button formAction="none" disabled={!isJson} onClick={() => onChange(formatted(value) ?? value)}>
          {texts.format}
        </Button>
      </SpaceBetween>
      <CodeEditor
        ref={editor}
        value={value}
        onChange={onChange}
        label={texts.label}
        diagnostics={diagnostics}
        describedBy={listId}
      />
      <div id={listId}>
        <SpaceBetween size="xxs">
          <output>
            <Verdict isEmpty={value.trim() === ''} diagnostics={diagnostics} check={check} kind={kind} />
          </output>
          <DiagnosticList diagnostics={diagnostics} onGoTo={(offset) => editor.current?.goTo(offset)} />
        </SpaceBetween>
      </div>
      <Box variant="small">{texts.characters(value.replaceAll(/\s/g, '').length, charactersMax)}</Box>
    </SpaceBetween>
  );
}

interface VerdictProps {
  readonly isEmpty: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly check: ServerCheck;
  readonly kind: Props['kind'];
}

function Verdict({ isEmpty, diagnostics, check, kind }: VerdictProps) {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.length - errors;
  if (isEmpty) {
    return <StatusIndicator type="info">{texts.empty}</StatusIndicator>;
  }
  if (errors > 0) {
    return <StatusIndicator type="error">{texts.errors(errors)}</StatusIndicator>;
  }
  const doubts = warnings > 0 && <StatusIndicator type="warning">{texts.warnings(warnings)}</StatusIndicator>;
  return (
    <SpaceBetween direction="horizontal" size="s">
      {stateOf(check, kind)}
      {doubts}
    </SpaceBetween>
  );
}

function stateOf(check: ServerCheck, kind: Props['kind']) {
  if (kind === 'trust') {
    return <StatusIndicator type="success">{texts.fineHere}</StatusIndicator>;
  }
  switch (check.state) {
    case 'fine':
      return <StatusIndicator type="success">{texts.fine}</StatusIndicator>;
    case 'forbidden':
      return <StatusIndicator type="info">{texts.notChecked}</StatusIndicator>;
    case 'unreachable':
      return <StatusIndicator type="warning">{texts.notReached}</StatusIndicator>;
    case 'wrong':
    case 'idle':
    case 'checking':
      return <StatusIndicator type="in-progress">{texts.checking}</StatusIndicator>;
  }
}

interface ListProps {
  readonly diagnostics: readonly Diagnostic[];
  readonly onGoTo: (offset: number) => void;
}

function DiagnosticList({ diagnostics, onGoTo }: ListProps) {
  if (diagnostics.length === 0) {
    return null;
  }
  return (
    <ul className="code-diagnostics" aria-label={texts.diagnostics}>
      {diagnostics.map(({ severity, message, line, column, offset }) => (
        <li key={`${offset} ${message}`}>
          <StatusIndicator type={severity}>
            <Button formAction="none" variant="inline-link" onClick={() => onGoTo(offset)}>
              {texts.at(line, column)}
            </Button>{' '}
            {visible(message)}
          </StatusIndicator>
        </li>
      ))}
    </ul>
  );
}
