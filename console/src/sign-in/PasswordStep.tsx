/** The first step: user name and password, or another way in. */

import { useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { oidcStart, signIn, signInOptions, type NextStep, type SignInOptions } from '../api/console.ts';
import { location } from '../router/location.ts';
import { signInTexts as texts } from '../texts/sign-in.ts';
import { useResource } from '../ui/resource.ts';
import { visibleLine } from '../ui/visible.ts';
import { arePasskeysHere, signInWithPasskey } from './passkey.ts';
import { inWords, SignInForm, useStep } from './SignInForm.tsx';
import { rememberWayBack } from './way-back.ts';

interface Props {
  readonly onNext: (next: NextStep, password?: string) => Promise<void>;
}

export function PasswordStep({ onNext }: Props) {
  const [userName, setUserName] = useState('');
  const [password, setPassword] = useState('');
  const options = useResource(signInOptions, []).value;
  const refusal = location().query.get('error');
  return (
    <SpaceBetween size="m">
      {options?.setup && (
        <Alert type="info" header={texts.noSetup.header}>
          {texts.noSetup.body}
        </Alert>
      )}
      {refusal !== null && (
        <Alert type="error" header={texts.failed}>
          {providerRefused(refusal)}
        </Alert>
      )}
      <SignInForm
        title={texts.title}
        submit={texts.submit}
        onSubmit={async () => onNext(await signIn(userName, password), password)}
        footer={options && hasOtherWays(options) && <OtherWays options={options} onNext={onNext} />}
      >
        <FormField label={texts.userName}>
          <Input
            value={userName}
            onChange={({ detail }) => setUserName(detail.value)}
            name="username"
            autoComplete="username webauthn"
            spellcheck={false}
            disableBrowserAutocorrect
            autoFocus
            ariaRequired
          />
        </FormField>
        <FormField label={texts.password}>
          <Input
            value={password}
            onChange={({ detail }) => setPassword(detail.value)}
            type="password"
            name="password"
            autoComplete="current-password"
            ariaRequired
          />
        </FormField>
      </SignInForm>
    </SpaceBetween>
  );
}

/** In our words: anybody can write an address. */
function providerRefused(code: string): string {
  const { other, ...known } = texts.providerRefused;
  return Object.entries(known).find(([name]) => name === code)?.[1] ?? other;
}

function hasOtherWays(options: SignInOptions): boolean {
  return options.oidc.length > 0 || (options.passkeys && arePasskeysHere());
}

function OtherWays({ options, onNext }: { readonly options: SignInOptions } & Props) {
  const { error, isBusy, run } = useStep();
  return (
    <SpaceBetween size="s">
      {error !== undefined && <Alert type="error">{inWords(error)}</Alert>}
      {options.passkeys && arePasskeysHere() && (
        <Button fullWidth loading={isBusy} onClick={() => void run(async () => onNext(await signInWithPasskey('alone')))}>
          {texts.passkey}
        </Button>
      )}
      {options.oidc.map(({ id, name }) => (
        <Button key={id} fullWidth href={oidcStart(id)} onClick={() => rememberWayBack(location().query.get('to'))}>
          {texts.oidc(visibleLine(name))}
        </Button>
      ))}
    </SpaceBetween>
  );
}
