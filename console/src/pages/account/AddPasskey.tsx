/** Makes a passkey: the password once more, then whatever the browser and the device ask. */

import { useState } from 'react';

import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';

import { beginPasskey, createPasskey } from '../../api/passkeys.ts';
import { notify } from '../../app/notifications.ts';
import { answered, credentialOf } from '../../sign-in/passkey.ts';
import { passkeyTexts as texts } from '../../texts/passkeys.ts';
import { FormModal } from '../../ui/forms/FormModal.tsx';
import { useAction } from '../../ui/forms/useAction.ts';
import { visibleLine } from '../../ui/visible.ts';
import { browserOf } from './browser.ts';

interface Props {
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function AddPasskey({ onDone, onClose }: Props) {
  const [name, setName] = useState(() => browserOf(navigator.userAgent).slice(0, 64));
  const [password, setPassword] = useState('');
  const action = useAction();
  const add = async () => {
    if (await action.run(() => register(name, password))) {
      notify({ type: 'success', header: texts.added(visibleLine(name.trim())) });
      onDone();
    }
  };
  return (
    <FormModal
      title={texts.add}
      submitText={texts.add}
      action={action}
      isReady={name.trim() !== '' && password !== ''}
      onSubmit={() => void add()}
      onClose={onClose}
    >
      <FormField label={texts.name} constraintText={texts.nameHint}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus autoComplete={false} spellcheck={false} />
      </FormField>
      <FormField label={texts.password} description={texts.passwordHint}>
        <Input
          value={password}
          onChange={({ detail }) => setPassword(detail.value)}
          type="password"
          name="password"
          autoComplete="current-password"
        />
      </FormField>
      <Box color="text-body-secondary">{texts.addHint}</Box>
    </FormModal>
  );
}

async function register(name: string, password: string): Promise<void> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await beginPasskey(password));
  await createPasskey(name, credentialOf(await answered(navigator.credentials.create({ publicKey }))));
}
