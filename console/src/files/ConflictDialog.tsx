/** Asks what is done with a file whose name is in use. */

import { useState } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { filesTexts } from '../texts/files.ts';
import { partTexts } from '../texts/parts.ts';
import { visibleLine } from '../ui/visible.ts';
import type { Answer, Question } from './questions.ts';

const texts = filesTexts.conflict;

export function ConflictDialog({ question: { path, isDirectory, hasOthers, answer } }: { readonly question: Question }) {
  const [forAll, setForAll] = useState(false);
  const give = (given: Answer) => answer(given, forAll);
  const shown = visibleLine(path);
  return (
    <Modal
      visible
      header={texts.header}
      closeAriaLabel={partTexts.forms.close}
      onDismiss={() => answer('skip', false)}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={() => give('skip')}>
              {texts.skip}
            </Button>
            {!isDirectory && <Button onClick={() => give('replace')}>{texts.replace}</Button>}
            <Button variant="primary" onClick={() => give('both')}>
              {texts.both}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <div className="files-conflict">{isDirectory ? texts.bodyDirectory(shown) : texts.body(shown)}</div>
        {hasOthers && (
          <Checkbox checked={forAll} onChange={({ detail }) => setForAll(detail.checked)}>
            {texts.forAll}
          </Checkbox>
        )}
      </SpaceBetween>
    </Modal>
  );
}
