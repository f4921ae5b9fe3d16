/** A password that somebody else set is replaced before it is of use. */

import { useState } from 'react';

import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';

import { changePassword, type NextStep } from '../api/console.ts';
import { signInTexts } from '../texts/sign-in.ts';
import { PasswordPair, pairOf } from './PasswordPair.tsx';
import { SignInForm } from './SignInForm.tsx';

const texts = signInTexts.newPassword;

interface Props {
  /** Empty if it was not given: a passkey alone led here. */
  readonly oldPassword: string;
  readonly onNext: (next: NextStep) => Promise<void>;
}

export function NewPasswordStep({ oldPassword: given, onNext }: Props) {
  const [typed, setTyped] = useState('');
  const oldPassword = given === '' ? typed : given;
  const [pair, setPair] = useState({ password: '', again: '' });
  return (
    <SignInForm
      title={texts.title}
      description={texts.why}
      submit={texts.submit}
      onSubmit={async () => onNext(await changePassword(oldPassword, pairOf(pair)))}
    >
      {given === '' && (
        <FormField label={texts.old}>
          <Input
            value={typed}
            onChange={({ detail }) => setTyped(detail.value)}
            type="password"
            name="password"
            autoComplete="current-password"
            autoFocus
            ariaRequired
          />
        </FormField>
      )}
      <PasswordPair pair={pair} onChange={setPair} labels={[texts.new, texts.repeat]} isFirst={given !== ''} />
    </SignInForm>
  );
}
