/** The nodes of an activation, as they come. */

import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { href } from '../../../router/location.ts';
import { pathOf } from '../../../router/route.ts';
import { addNodeTexts } from '../../../texts/add-node.ts';
import { ProblemAlert } from '../../../ui/ProblemAlert.tsx';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { nameOf, readNodes } from '../node.ts';
import { NodeStatus } from '../NodeStatus.tsx';

const texts = addNodeTexts.waiting;
const REFRESH_MS = 2_000;

export function NewNodes({ activationId }: { readonly activationId: string }) {
  const nodes = useResource((signal) => readNodes([{ Key: 'ActivationIds', Values: [activationId] }], signal), [activationId], {
    every_ms: REFRESH_MS,
  });
  const found = nodes.value ?? [];
  return (
    <Container header={<Header variant="h2" actions={<Button href={href('/nodes')}>{texts.done}</Button>}>{texts.title}</Header>}>
      <SpaceBetween size="s">
        {nodes.error !== undefined && <ProblemAlert error={nodes.error} retry={nodes.reload} />}
        <div aria-live="polite">
          <StatusIndicator type={found.length === 0 ? 'pending' : 'success'}>
            {found.length === 0 ? texts.none : texts.some(found.length)}
          </StatusIndicator>
        </div>
        {found.map((node) => (
          <SpaceBetween key={node.InstanceId} direction="horizontal" size="s">
            <Link href={href(pathOf('/nodes/:nodeId', { nodeId: node.InstanceId }))}>{visibleLine(nameOf(node))}</Link>
            <NodeStatus status={node.PingStatus} />
          </SpaceBetween>
        ))}
      </SpaceBetween>
    </Container>
  );
}
