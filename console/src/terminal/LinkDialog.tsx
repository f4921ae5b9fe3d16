/** A link of a program's output, shown as what it is before anybody follows it. */

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { terminalTexts } from '../texts/terminal.ts';
import { visibleLine } from '../ui/visible.ts';

const texts = terminalTexts.link;

export function LinkDialog({ address, onClosed }: { readonly address: string; readonly onClosed: () => void }) {
  return (
    <Modal
      visible
      header={texts.header}
      onDismiss={onClosed}
      closeAriaLabel={terminalTexts.close}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClosed}>
              {texts.cancel}
            </Button>
            <Button variant="primary" href={address} target="_blank" rel="noopener noreferrer" onClick={onClosed}>
              {texts.open}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <Box variant="p">{texts.body}</Box>
      <div className="terminal-link">{visibleLine(address)}</div>
    </Modal>
  );
}
