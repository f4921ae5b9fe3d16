/** What is to be said about a session above its screen: that it is lost, over, or somewhere else. */

import Alert, { type AlertProps } from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { href } from '../router/location.ts';
import { pathOf } from '../router/route.ts';
import { terminalTexts } from '../texts/terminal.ts';
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
          <Button href={href(pathOf('/sessions/:sessionId/follow', { sessionId: live.sessionId }))}>{terminalTexts.follow}</Button>
        </Strip>
      );
    case 'failed': {
      const { why } = state;
      const errors = why.code === 'unsupported' ? why.errors.map(remarkText).join(' ') : '';
      return (
        <>
          <Strip type={why.code === 'left' ? 'info' : 'error'} text={`${terminalTexts.failed[why.code]} ${errors}`.trim()}>
            {why.code !== 'port-session' && why.code !== 'unsupported' && (
              <Button onClick={() => live.takeBack()}>{terminalTexts.takeBack}</Button>
            )}
          </Strip>
          {why.code === 'refused' && <ProblemAlert error={why.error} />}
        </>
      );
    }
  }
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
