/** What is to be said about a session above its screen: that it is lost, over, or somewhere else. */

import { useState } from 'react';

import Alert, { type AlertProps } from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { notify } from '../app/notifications.ts';
import { type Failure, Refused } from '../channel/state.ts';
import { href } from '../router/location.ts';
import { pathOf } from '../router/route.ts';
import { terminalTexts } from '../texts/terminal.ts';
import { problemOf } from '../ui/problem.ts';
import { ProblemAlert } from '../ui/ProblemAlert.tsx';
import { remarkText } from './hostile.ts';
import type { Live, View } from './live.ts';

interface Props {
  readonly live: Live;
  readonly view: View;
  readonly onAgain: () => void;
}

export function Banner({ live, view, onAgain }: Props) {
  return (
    <>
      <StateBanner live={live} view={view} onAgain={onAgain} />
      {view.warning !== undefined && (
        <Alert type="warning" dismissible onDismiss={() => live.dismissWarning()} dismissAriaLabel={terminalTexts.close}>
          {remarkText(view.warning)}
        </Alert>
      )}
      {(view.messages.length > 0 || view.isPasteTooLong) && (
        <Alert type="info" dismissible onDismiss={() => live.dismissMessages()} dismissAriaLabel={terminalTexts.close}>
          {view.isPasteTooLong && <div>{terminalTexts.paste.tooLong}</div>}
          {view.messages.length > 0 && (
            <div>
              {terminalTexts.saidByNode}: {view.messages.map(remarkText).join('\n')}
            </div>
          )}
        </Alert>
      )}
    </>
  );
}

function StateBanner({ live, view, onAgain }: Props) {
  const { state } = view;
  switch (state.kind) {
    case 'connecting':
      return null;
    case 'connected':
      return state.isNodeAway ? <Strip type="warning" text={terminalTexts.nodeAway} /> : null;
    case 'reconnecting':
      return (
        <Strip type="warning" text={terminalTexts.reconnecting}>
          <Button onClick={() => live.hurry()}>{terminalTexts.reconnectNow}</Button>
        </Strip>
      );
    case 'ended':
      return (
        <Strip type="info" text={terminalTexts.ended(remarkText(state.reason), state.exitCode)}>
          <Button href={href(pathOf('/sessions/:sessionId/replay', { sessionId: live.sessionId }))}>{terminalTexts.replay}</Button>
          <Button onClick={onAgain}>{terminalTexts.again}</Button>
        </Strip>
      );
    case 'unknown':
      return (
        <Strip type="info" text={terminalTexts.failed.unknown}>
          <TakeOver live={live} />
          <Follow live={live} />
        </Strip>
      );
    case 'failed': {
      const { why } = state;
      const errors = why.code === 'unsupported' ? why.errors.map(remarkText).join(' ') : why.code === 'not-taken' ? remarkText(why.reason) : '';
      return (
        <>
          <Strip type={why.code === 'left' ? 'info' : 'error'} text={`${terminalTexts.failed[why.code]} ${errors}`.trim()}>
            {CAN_GO_ON.has(why.code) && <Button onClick={() => live.takeBack()}>{terminalTexts.takeBack}</Button>}
            {CAN_TAKE_OVER.has(why.code) && <TakeOver live={live} />}
            {why.code !== 'port-session' && <Follow live={live} />}
          </Strip>
          {(why.code === 'refused' || why.code === 'no-key') && <ProblemAlert error={why.error} />}
        </>
      );
    }
  }
}

/** What passes, or is the user's own doing. */
const CAN_GO_ON: ReadonlySet<Failure['code']> = new Set(['unreachable', 'refused', 'left', 'no-key'] as const);
const CAN_TAKE_OVER: ReadonlySet<Failure['code']> = new Set(['taken', 'not-taken'] as const);

function TakeOver({ live }: { readonly live: Live }) {
  const [isAsking, setIsAsking] = useState(false);
  const takeOver = async () => {
    setIsAsking(true);
    try {
      await live.takeOver();
    } catch (error) {
      notify({ type: 'error', header: terminalTexts.takeOverFailed, content: problemOf(error instanceof Refused ? error.error : error).message });
    }
    setIsAsking(false);
  };
  return (
    <Button loading={isAsking} onClick={() => void takeOver()}>
      {terminalTexts.takeOver}
    </Button>
  );
}

function Follow({ live }: { readonly live: Live }) {
  return <Button href={href(pathOf('/sessions/:sessionId/follow', { sessionId: live.sessionId }))}>{terminalTexts.follow}</Button>;
}

function Strip({ type, text, children }: { type: AlertProps.Type; text: string; children?: React.ReactNode }) {
  return (
    <div data-testid="terminal-banner">
      <Alert
        type={type}
        action={
          children && (
            <SpaceBetween direction="horizontal" size="xs">
              {children}
            </SpaceBetween>
          )
        }
      >
        <output>{text}</output>
      </Alert>
    </div>
  );
}
