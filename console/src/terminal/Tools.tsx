/** What can be done with the terminal in use. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { terminalTexts } from '../texts/terminal.ts';
import { visibleLine } from '../ui/visible.ts';
import { copySelection } from './clipboard.ts';
import { KeysDialog } from './KeysDialog.tsx';
import type { Live } from './live.ts';
import { prefer, usePreferences } from './preferences.ts';
import { QuestionDialog } from './QuestionDialog.tsx';
import { PANES_MAX, TABS_MAX, type Direction } from './workspace.ts';

/** Where focus goes when it leaves the terminal. */
export const TOOLS_ID = 'terminal-tools';

interface Props {
  readonly live: Live;
  readonly tabs: number;
  readonly panes: number;
  readonly isFilesOpen: boolean;
  readonly onFiles: () => void;
  readonly onSearch: () => void;
  readonly onNewTab: () => void;
  readonly onSplit: (direction: Direction) => void;
  readonly onError: (error: unknown) => void;
}

export function Tools({ live, tabs, panes, isFilesOpen, onFiles, onSearch, onNewTab, onSplit, onError }: Props) {
  const { fontSize, screenReader } = usePreferences();
  const [dialog, setDialog] = useState<'terminate' | 'keys'>();
  const isOver = live.view.state.kind === 'ended';
  const actions: Record<string, () => void> = {
    'new-tab': onNewTab,
    right: () => onSplit('row'),
    down: () => onSplit('column'),
    larger: () => prefer({ fontSize: fontSize + 1 }),
    smaller: () => prefer({ fontSize: fontSize - 1 }),
    'screen-reader': () => prefer({ screenReader: !screenReader }),
    copy: () => void copySelection(live.emulator.selection).catch(onError),
    clear: () => live.emulator.clear(),
    keys: () => setDialog('keys'),
  };
  return (
    <div id={TOOLS_ID} role="toolbar" aria-label={terminalTexts.toolbar}>
      <SpaceBetween direction="horizontal" size="xs">
        <Button iconName="search" variant="icon" ariaLabel={terminalTexts.search} onClick={onSearch} />
        <Button ariaExpanded={isFilesOpen} disabled={live.view.target === ''} onClick={onFiles}>
          {terminalTexts.files(live.view.transfers)}
        </Button>
        <ButtonDropdown
          variant="normal"
          items={[
            { id: 'new-tab', text: terminalTexts.newTab, disabled: tabs >= TABS_MAX },
            { id: 'right', text: terminalTexts.splitRight, disabled: panes >= PANES_MAX },
            { id: 'down', text: terminalTexts.splitDown, disabled: panes >= PANES_MAX },
            { id: 'copy', text: terminalTexts.copy },
            { id: 'clear', text: terminalTexts.clear },
            { id: 'larger', text: terminalTexts.fontLarger },
            { id: 'smaller', text: terminalTexts.fontSmaller },
            { id: 'screen-reader', text: terminalTexts.screenReader, itemType: 'checkbox', checked: screenReader },
            { id: 'keys', text: terminalTexts.help },
          ]}
          onItemClick={({ detail }) => actions[detail.id]?.()}
        >
          {terminalTexts.more}
        </ButtonDropdown>
        <Button disabled={isOver} onClick={() => setDialog('terminate')}>
          {terminalTexts.terminate}
        </Button>
      </SpaceBetween>
      {dialog === 'keys' && <KeysDialog onClosed={() => setDialog(undefined)} />}
      {dialog === 'terminate' && (
        <TerminateDialog
          target={visibleLine(live.view.target || live.sessionId)}
          onAnswered={(answer) => {
            setDialog(undefined);
            if (answer === 'yes') {
              live.terminate().catch(onError);
            }
          }}
        />
      )}
    </div>
  );
}

function TerminateDialog({ target, onAnswered }: { target: string; onAnswered: (answer: 'yes' | 'no') => void }) {
  const texts = terminalTexts.terminateDialog;
  return (
    <QuestionDialog texts={texts} onAnswered={onAnswered}>
      {texts.body(target)}
    </QuestionDialog>
  );
}
