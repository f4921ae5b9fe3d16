/** Where session documents are written. What cannot be read is told while one writes; the server knows the rest. */

import { useId, useMemo, useRef } from 'react';

import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { documentsTexts } from '../../texts/documents.ts';
import { CodeEditor, type CodeEditorHandle } from '../../ui/code/CodeEditor.tsx';
import { visible } from '../../ui/visible.ts';
import { diagnose, type Format } from './content.ts';

const texts = documentsTexts.editor;

interface Props {
  readonly value: string;
  readonly format: Format;
  /** What the server said of this very text. */
  readonly refusal: string | undefined;
  readonly onChange: (value: string) => void;
}

export function DocumentEditor({ value, format, refusal, onChange }: Props) {
  const editor = useRef<CodeEditorHandle>(null);
  const listId = useId();
  const diagnostics = useMemo(() => diagnose(value, format, refusal), [value, format, refusal]);
  return (
    <SpaceBetween size="xs">
      <CodeEditor ref={editor} value={value} onChange={onChange} label={texts.label} diagnostics={diagnostics} describedBy={listId} />
      <div id={listId}>
        {diagnostics.length === 0 ? (
          <StatusIndicator type={value.trim() === '' ? 'info' : 'success'}>
            {value.trim() === '' ? texts.empty : texts.readable(format)}
          </StatusIndicator>
        ) : (
          <ul className="code-diagnostics" aria-label={texts.problems}>
            {diagnostics.map(({ severity, message, line, column, offset }) => (
              <li key={`${offset} ${message}`}>
                <StatusIndicator type={severity}>
                  <Button formAction="none" variant="inline-link" onClick={() => editor.current?.goTo(offset)}>
                    {texts.at(line, column)}
                  </Button>{' '}
                  {visible(message)}
                </StatusIndicator>
              </li>
            ))}
          </ul>
        )}
      </div>
    </SpaceBetween>
  );
}
