/** The link that the server prints at its first start: it sets the administrator's password, once. */

import { useEffect, useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';

import { setUp } from '../api/console.ts';
import { location, navigate } from '../router/location.ts';
import { frameTexts } from '../texts/frame.ts';
import { signInTexts } from '../texts/sign-in.ts';
import { PasswordPair, pairOf } from './PasswordPair.tsx';
import { SignInForm } from './SignInForm.tsx';
import { askSignIn } from './state.ts';

const texts = signInTexts.setup;

export function SetupPage() {
  // The token leaves the address bar at once, so that no history keeps it.
  const [token] = useState(() => location().fragment);
  const [pair, setPair] = useState({ password: '', again: '' });
  useEffect(() => {
    document.title = frameTexts.titleOf(texts.title);
    if (location().fragment !== '') {
      navigate('/setup', 'replace');
    }
  }, []);

  if (token === '') {
    return (
      <Container header={<Header variant="h1">{texts.title}</Header>}>
        <Alert type="warning">{texts.noToken}</Alert>
      </Container>
    );
  }
  return (
    <SignInForm
      title={texts.title}
      description={texts.userName}
      submit={texts.submit}
      onSubmit={async () => {
        await setUp(token, pairOf(pair));
        await askSignIn();
        navigate('/', 'replace');
      }}
    >
      <PasswordPair pair={pair} onChange={setPair} labels={[texts.password, texts.repeat]} />
    </SignInForm>
  );
}
