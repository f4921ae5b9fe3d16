/** Ends a session from outside. */

import { call } from '../../api/call.ts';
import * as ssm from '../../api/generated/ssm.ts';
import { sessionsTexts } from '../../texts/sessions.ts';
import { ConfirmAction } from '../../ui/forms/ConfirmAction.tsx';
import { visibleLine } from '../../ui/visible.ts';

const texts = sessionsTexts.terminateModal;

interface Props {
  readonly sessionId: string;
  readonly onClose: () => void;
}

export function TerminateModal({ sessionId, onClose }: Props) {
  const name = visibleLine(sessionId);
  return (
    <ConfirmAction
      title={texts.title(name)}
      body={texts.body}
      confirmText={texts.confirm}
      doneText={texts.done(name)}
      onConfirm={async () => {
        await call(ssm.TerminateSession, { SessionId: sessionId });
      }}
      onDone={onClose}
      onClose={onClose}
    />
  );
}
