/** Asks before several lines are pasted: each may run as a command. */

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';

import { terminalTexts } from '../texts/terminal.ts';

interface Props {
  /** Made visible. */
  readonly text: string;
  readonly lines: number;
  readonly isBracketed: boolean;
  readonly onAnswered: (answer: 'yes' | 'no') => void;
}

const texts = terminalTexts.paste;
/** Nobody reads more before pasting. */
const SHOWN_LENGTH_MAX = 4000;

export function PasteDialog({ text, lines, isBracketed, onAnswered }: Props) {
  return (
    <Modal
      visible
      header={texts.header}
      onDismiss={() => onAnswered('no')}
      closeAriaLabel={terminalTexts.close}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={() => onAnswered('no')}>
              {texts.cancel}
            </Button>
            <Button variant="primary" onClick={() => onAnswered('yes')}>
              {texts.submit}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <Box variant="p">
        {texts.body(lines)} {isBracketed && texts.bracketed}
      </Box>
      <Textarea
        readOnly
        rows={8}
        ariaLabel={texts.text}
        value={text.slice(0, SHOWN_LENGTH_MAX) + (text.length > SHOWN_LENGTH_MAX ? '…' : '')}
      />
    </Modal>
  );
}
