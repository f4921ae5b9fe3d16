/** Ends everything that somebody is signed in with. */

import { call } from '../../../api/call.ts';
import * as postern from '../../../api/generated/postern.ts';
import { accessTexts } from '../../../texts/access.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { ConfirmAction } from '../../../ui/forms/ConfirmAction.tsx';

interface Props {
  readonly arn: string;
  readonly name: string;
  readonly body: string;
  readonly onClose: () => void;
}

export function RevokeSessions({ arn, name, body, onClose }: Props) {
  const texts = accessTexts.revoke;
  return (
    <ConfirmAction
      title={texts.title}
      body={body}
      confirmText={texts.confirm}
      doneText={texts.done(visibleLine(name))}
      onConfirm={async () => void (await call(postern.RevokeSessions, { PrincipalArn: arn }))}
      onDone={onClose}
      onClose={onClose}
    />
  );
}
