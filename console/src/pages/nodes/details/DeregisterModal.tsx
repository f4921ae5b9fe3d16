/** Takes a node away. */

import { call } from '../../../api/call.ts';
import * as ssm from '../../../api/generated/ssm.ts';
import { notify } from '../../../app/notifications.ts';
import { navigate } from '../../../router/location.ts';
import { nodesTexts } from '../../../texts/nodes.ts';
import { ConfirmModal } from '../../../ui/ConfirmModal.tsx';
import { visibleLine } from '../../../ui/visible.ts';
import { nameOf, type Node } from '../node.ts';

const texts = nodesTexts.deregister;

interface Props {
  readonly node: Node;
  readonly onClose: () => void;
}

export function DeregisterModal({ node, onClose }: Props) {
  const name = visibleLine(nameOf(node));
  return (
    <ConfirmModal
      title={texts.title(name)}
      confirm={texts.confirm}
      cancel={texts.cancel}
      onClose={onClose}
      onConfirm={async () => {
        await call(ssm.DeregisterManagedInstance, { InstanceId: node.InstanceId });
        notify({ type: 'success', header: texts.done(name) });
        navigate('/nodes');
      }}
    >
      {texts.body}
    </ConfirmModal>
  );
}
