/** Calls a passkey something else. */

import { useState } from 'react';

import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';

import { renamePasskey, type Passkey } from '../../api/passkeys.ts';
import { notify } from '../../app/notifications.ts';
import { passkeyTexts as texts } from '../../texts/passkeys.ts';
import { FormModal } from '../../ui/forms/FormModal.tsx';
import { useAction } from '../../ui/forms/useAction.ts';
import { visibleLine } from '../../ui/visible.ts';

interface Props {
  readonly passkey: Passkey;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function RenamePasskey({ passkey, onDone, onClose }: Props) {
  const [name, setName] = useState(passkey.name);
  const action = useAction();
  const save = async () => {
    if (await action.run(() => renamePasskey(passkey.id, name))) {
      notify({ type: 'success', header: texts.renamed });
      onDone();
    }
  };
  return (
    <FormModal
      title={texts.renameNamed(visibleLine(passkey.name))}
      submitText={texts.save}
      action={action}
      isReady={name.trim() !== ''}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <FormField label={texts.name} constraintText={texts.nameHint}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus autoComplete={false} spellcheck={false} />
      </FormField>
    </FormModal>
  );
}
