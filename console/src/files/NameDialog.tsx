/** Asks for a name: of a new directory, or another one of a file. */

import { useState } from 'react';

import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';

import { filesTexts as texts } from '../texts/files.ts';
import { FormModal } from '../ui/forms/FormModal.tsx';
import { useAction } from '../ui/forms/useAction.ts';
import { isFileName } from './sftp/client.ts';
import { inWords } from './words.ts';

interface Props {
  readonly title: string;
  readonly submitText: string;
  /** The name so far. */
  readonly name: string;
  readonly onNamed: (name: string) => Promise<void>;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function NameDialog({ title, submitText, name, onNamed, onDone, onClose }: Props) {
  const [typed, setTyped] = useState(name);
  const action = useAction();
  const isFit = isFileName(typed);
  const submit = async () => {
    if (await action.run(() => inWords(onNamed(typed)))) {
      onDone();
    }
  };
  return (
    <FormModal title={title} submitText={submitText} action={action} isReady={isFit && typed !== name} onSubmit={() => void submit()} onClose={onClose}>
      <FormField label={texts.nameField} errorText={typed !== '' && !isFit && texts.nameUnfit}>
        <Input value={typed} onChange={({ detail }) => setTyped(detail.value)} autoFocus autoComplete={false} spellcheck={false} />
      </FormField>
    </FormModal>
  );
}
