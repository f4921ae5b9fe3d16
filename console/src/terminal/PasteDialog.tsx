/** Asks before several lines are pasted: each may run as a command. */

import Box from '@cloudscape-design/components/box';
import Textarea from '@cloudscape-design/components/textarea';

import { terminalTexts } from '../texts/terminal.ts';
import { QuestionDialog } from './QuestionDialog.tsx';

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
    <QuestionDialog texts={texts} onAnswered={onAnswered}>
      <Box variant="p">
        {texts.body(lines)} {isBracketed && texts.bracketed}
      </Box>
      <Textarea
        readOnly
        rows={8}
        ariaLabel={texts.text}
        value={text.slice(0, SHOWN_LENGTH_MAX) + (text.length > SHOWN_LENGTH_MAX ? '…' : '')}
      />
    </QuestionDialog>
  );
}
