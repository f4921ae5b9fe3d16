/** A password that somebody else set is replaced before it is of use. */

import { useState } from 'react';

import { changePassword, type NextStep } from '../api/console.ts';
import { signInTexts } from '../texts/sign-in.ts';
import { PasswordPair, pairOf } from './PasswordPair.tsx';
import { SignInForm } from './SignInForm.tsx';

const texts = signInTexts.newPassword;

interface Props {
  readonly oldPassword: string;
  readonly onNext: (next: NextStep) => Promise<void>;
}

export function NewPasswordStep({ oldPassword, onNext }: Props) {
  const [pair, setPair] = useState({ password: '', again: '' });
  return (
    <SignInForm
      title={texts.title}
      description={texts.why}
      submit={texts.submit}
      onSubmit={async () => onNext(await changePassword(oldPassword, pairOf(pair)))}
    >
      <PasswordPair pair={pair} onChange={setPair} labels={[texts.new, texts.repeat]} />
    </SignInForm>
  );
}
