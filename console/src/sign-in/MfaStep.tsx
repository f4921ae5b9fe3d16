/** The second factor: a code, or a passkey. */

import { useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { answerMfa, type MfaMethod, type NextStep } from '../api/console.ts';
import { signInTexts } from '../texts/sign-in.ts';
import { arePasskeysHere, signInWithPasskey } from './passkey.ts';
import { inWords, SignInForm, useStep } from './SignInForm.tsx';

const texts = signInTexts.mfa;
const CODE = /^\d{6}$/;

interface Props {
  readonly methods: readonly MfaMethod[];
  readonly onNext: (next: NextStep) => Promise<void>;
  readonly onBack: () => void;
}

export function MfaStep({ methods, onNext, onBack }: Props) {
  const [code, setCode] = useState('');
  const digits = code.replaceAll(/\s/g, '');
  const takesPasskey = methods.includes('passkey') && arePasskeysHere();
  const back = (
    <Button variant="link" onClick={onBack}>
      {texts.back}
    </Button>
  );
  if (!methods.includes('totp')) {
    return (
      <Container header={<Header variant="h1">{texts.title}</Header>} footer={back}>
        {takesPasskey ? <PasskeyButton onNext={onNext} variant="primary" /> : <Alert type="warning">{texts.noWay}</Alert>}
      </Container>
    );
  }
  const ways = (
    <SpaceBetween size="s">
      {takesPasskey && <PasskeyButton onNext={onNext} variant="normal" />}
      {back}
    </SpaceBetween>
  );
  return (
    <SignInForm
      title={texts.title}
      submit={texts.submit}
      onSubmit={async () => {
        if (!CODE.test(digits)) {
          throw new Error(texts.codeInvalid);
        }
        await onNext(await answerMfa(digits));
      }}
      footer={ways}
    >
      <FormField label={texts.code} description={texts.codeHint}>
        <Input
          value={code}
          onChange={({ detail }) => setCode(detail.value)}
          inputMode="numeric"
          autoComplete="one-time-code"
          name="totp"
          autoFocus
          ariaRequired
        />
      </FormField>
    </SignInForm>
  );
}

interface PasskeyProps {
  readonly onNext: Props['onNext'];
  readonly variant: 'primary' | 'normal';
}

function PasskeyButton({ onNext, variant }: PasskeyProps) {
  const { error, isBusy, run } = useStep();
  return (
    <SpaceBetween size="s">
      {error !== undefined && <Alert type="error">{inWords(error)}</Alert>}
      <Button
        fullWidth
        variant={variant}
        loading={isBusy}
        onClick={() => void run(async () => onNext(await signInWithPasskey('second-factor')))}
      >
        {signInTexts.passkey}
      </Button>
    </SpaceBetween>
  );
}
