/** Ends a session from outside. */

import { call } from '../../api/call.ts';
import * as ssm from '../../api/generated/ssm.ts';
import { notify } from '../../app/notifications.ts';
import { sessionsTexts } from '../../texts/sessions.ts';
import { ConfirmModal } from '../../ui/ConfirmModal.tsx';
import { visibleLine } from '../../ui/visible.ts';

const texts = sessionsTexts.terminateModal;

interface Props {
  readonly sessionId: string;
  readonly onClose: () => void;
}

export function TerminateModal({ sessionId, onClose }: Props) {
  const name = visibleLine(sessionId);
  return (
    <ConfirmModal
      title={texts.title(name)}
      confirm={texts.confirm}
      cancel={texts.cancel}
      onClose={onClose}
      onConfirm={async () => {
        await call(ssm.TerminateSession, { SessionId: sessionId });
        notify({ type: 'success', header: texts.done(name) });
      }}
    >
      {texts.body}
    </ConfirmModal>
  );
}
