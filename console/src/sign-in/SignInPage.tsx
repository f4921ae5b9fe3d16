/** Signing in, step by step: password, second factor, a new password if it takes one. */

import { useEffect, useState } from 'react';

import type { MfaMethod, NextStep } from '../api/console.ts';
import { frameTexts } from '../texts/frame.ts';
import { signInTexts } from '../texts/sign-in.ts';
import { MfaStep } from './MfaStep.tsx';
import { NewPasswordStep } from './NewPasswordStep.tsx';
import { PasswordStep } from './PasswordStep.tsx';
import { askSignIn } from './state.ts';

type Step =
  | { readonly kind: 'password' }
  | { readonly kind: 'mfa'; readonly methods: readonly MfaMethod[] }
  /** Kept for the step after, which must prove it again. */
  | { readonly kind: 'new-password'; readonly oldPassword: string };

export function SignInPage() {
  const [step, setStep] = useState<Step>({ kind: 'password' });
  const [password, setPassword] = useState('');
  useEffect(() => {
    document.title = frameTexts.titleOf(signInTexts.title);
  }, []);

  async function go(next: NextStep, typed = password): Promise<void> {
    setPassword(typed);
    switch (next.next) {
      case 'done':
        return askSignIn();
      case 'mfa':
        return setStep({ kind: 'mfa', methods: next.methods });
      case 'change-password':
        return setStep({ kind: 'new-password', oldPassword: typed });
    }
  }

  switch (step.kind) {
    case 'password':
      return <PasswordStep onNext={go} />;
    case 'mfa':
      return <MfaStep methods={step.methods} onNext={go} onBack={() => setStep({ kind: 'password' })} />;
    case 'new-password':
      return <NewPasswordStep oldPassword={step.oldPassword} onNext={go} />;
  }
}
