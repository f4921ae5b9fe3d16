/** Takes a node away. */

import { call } from '../../../api/call.ts';
import * as ssm from '../../../api/generated/ssm.ts';
import { navigate } from '../../../router/location.ts';
import { nodesTexts } from '../../../texts/nodes.ts';
import { ConfirmAction } from '../../../ui/forms/ConfirmAction.tsx';
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
    <ConfirmAction
      title={texts.title(name)}
      body={texts.body}
      confirmText={texts.confirm}
      doneText={texts.done(name)}
      onConfirm={async () => {
        await call(ssm.DeregisterManagedInstance, { InstanceId: node.InstanceId });
      }}
      onDone={() => navigate('/nodes')}
      onClose={onClose}
    />
  );
}
