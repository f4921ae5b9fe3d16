/** A question with two answers; closing it is a no. */

import type { ReactNode } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { terminalTexts } from '../texts/terminal.ts';

interface Props {
  readonly texts: { readonly header: string; readonly cancel: string; readonly submit: string };
  readonly onAnswered: (answer: 'yes' | 'no') => void;
  readonly children: ReactNode;
}

export function QuestionDialog({ texts, onAnswered, children }: Props) {
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
      {children}
    </Modal>
  );
}
