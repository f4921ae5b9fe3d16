/** Asks before something is deleted for ever: its name has to be typed. */

import { useState } from 'react';

import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';

import { notify } from '../../app/notifications.ts';
import { partTexts } from '../../texts/parts.ts';
import { visibleLine } from '../visible.ts';
import { FormModal } from './FormModal.tsx';
import { useAction } from './useAction.ts';

interface Props {
  /** What kind of thing it is, as in the title. */
  readonly kind: string;
  readonly name: string;
  /** What else goes with it. */
  readonly consequences: string;
  readonly onDelete: () => Promise<void>;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function ConfirmDelete({ kind, name, consequences, onDelete, onDone, onClose }: Props) {
  const texts = partTexts.remove;
  const [typed, setTyped] = useState('');
  const action = useAction();
  const remove = async () => {
    if (await action.run(onDelete)) {
      notify({ type: 'success', header: texts.done(visibleLine(name)) });
      onDone();
    }
  };
  return (
    <FormModal
      title={texts.title(kind)}
      submitText={texts.confirm}
      action={action}
      isReady={typed === name}
      onSubmit={() => void remove()}
      onClose={onClose}
    >
      <Box>
        {texts.body(visibleLine(name))} {consequences}
      </Box>
      <FormField label={texts.typeName(visibleLine(name))}>
        <Input value={typed} onChange={({ detail }) => setTyped(detail.value)} autoFocus autoComplete={false} spellcheck={false} />
      </FormField>
    </FormModal>
  );
}
