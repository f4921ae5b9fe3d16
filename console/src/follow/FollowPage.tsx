/** Watches a session while it runs. Nothing goes in the other direction. */

import './follow.css';

import { useEffect, useRef, useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { call } from '../api/call.ts';
import { isAbort } from '../api/errors.ts';
import * as postern from '../api/generated/postern.ts';
import { useIsDark } from '../app/theme.ts';
import { href } from '../router/location.ts';
import { pathOf, type PageProps } from '../router/route.ts';
import { useSignIn } from '../sign-in/state.ts';
import { background, Emulator } from '../terminal/emulator.ts';
import { remarkText } from '../terminal/hostile.ts';
import { LinkDialog } from '../terminal/LinkDialog.tsx';
import { usePreferences } from '../terminal/preferences.ts';
import { reachable } from '../terminal/reachable.ts';
import { replayTexts } from '../texts/replay.ts';
import { ProblemAlert } from '../ui/ProblemAlert.tsx';
import { visibleLine } from '../ui/visible.ts';
import { Follower, type State } from './follower.ts';

const texts = replayTexts.followed;

export default function FollowPage({ parameters }: PageProps) {
  const { sessionId = '' } = parameters;
  const [attempt, setAttempt] = useState(0);
  return (
    <ContentLayout header={<Header variant="h1">{replayTexts.followTitle(visibleLine(sessionId))}</Header>}>
      <Followed key={`${sessionId} ${attempt}`} sessionId={sessionId} onAgain={() => setAttempt((now) => now + 1)} />
    </ContentLayout>
  );
}

function Followed({ sessionId, onAgain }: { readonly sessionId: string; readonly onAgain: () => void }) {
  const { publicUrl } = useSignIn();
  const isDark = useIsDark();
  const { fontSize, screenReader } = usePreferences();
  const place = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<State>({ kind: 'connecting' });
  const [error, setError] = useState<unknown>();
  const [link, setLink] = useState<string>();
  const emulator = useRef<Emulator>(null);

  useEffect(() => {
    const appearance = { isDark: false, fontSize: 14, screenReader: false };
    const screen = new Emulator(appearance, { linked: setLink }, { disableStdin: true, cursorInactiveStyle: 'outline' });
    emulator.current = screen;
    if (place.current) {
      screen.attach(place.current);
    }
    const gone = new AbortController();
    let follower: Follower | undefined;
    call(postern.AttachSession, { SessionId: sessionId }, gone.signal)
      .then(({ Url = '' }) => {
        follower = new Follower(
          new WebSocket(reachable(Url, publicUrl)),
          { resize: (size) => screen.resize(size), write: (output, written) => screen.write(output, written) },
          setState,
        );
      })
      .catch((error: unknown) => !isAbort(error) && setError(error));
    return () => {
      gone.abort();
      follower?.close();
      screen.dispose();
    };
  }, [sessionId, publicUrl]);

  useEffect(() => emulator.current?.look({ isDark, fontSize, screenReader }), [isDark, fontSize, screenReader]);

  return (
    <SpaceBetween size="m">
      {error !== undefined && <ProblemAlert error={error} retry={onAgain} />}
      <StateLine state={state} sessionId={sessionId} onAgain={onAgain} />
      <Container
        footer={<Button onClick={() => emulator.current?.scrollToBottom()}>{texts.bottom}</Button>}
        disableContentPaddings
      >
        <section className="follow-screen" ref={place} aria-label={texts.screen} style={{ background: background(isDark) }} />
      </Container>
      {link !== undefined && <LinkDialog address={link} onClosed={() => setLink(undefined)} />}
    </SpaceBetween>
  );
}

function StateLine({ state, sessionId, onAgain }: { readonly state: State; readonly sessionId: string; readonly onAgain: () => void }) {
  switch (state.kind) {
    case 'connecting':
      return <StatusIndicator type="loading">{texts.connecting}</StatusIndicator>;
    case 'live':
      return <StatusIndicator type="success">{texts.live}</StatusIndicator>;
    case 'ended':
      return (
        <Alert type="info" action={<Button href={href(pathOf('/sessions/:sessionId/replay', { sessionId }))}>{texts.replay}</Button>}>
          <output>{texts.ended(remarkText(state.reason))}</output>
        </Alert>
      );
    case 'lost':
    case 'too-slow':
      return (
        <Alert type="warning" action={<Button onClick={onAgain}>{texts.again}</Button>}>
          <output>{state.kind === 'lost' ? texts.lost : texts.tooSlow}</output>
        </Alert>
      );
  }
}
