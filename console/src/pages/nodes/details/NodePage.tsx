/** One node: is it there, why not, what it is, who is on it. */

import { useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { Loading } from '../../../app/Loading.tsx';
import { href } from '../../../router/location.ts';
import type { PageProps } from '../../../router/route.ts';
import { nodesTexts as texts } from '../../../texts/nodes.ts';
import { PageProblem } from '../../../ui/PageProblem.tsx';
import { ProblemAlert } from '../../../ui/ProblemAlert.tsx';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { useConnections } from '../connections.ts';
import { nameOf, readConnection, readNode, type Node } from '../node.ts';
import { DeregisterModal } from './DeregisterModal.tsx';
import { NodeOverview } from './NodeOverview.tsx';
import { NodeSessions } from './NodeSessions.tsx';
import { NodeTags } from './NodeTags.tsx';

const REFRESH_MS = 10_000;

export default function NodePage({ parameters: { nodeId = '' } }: PageProps) {
  const node = useResource((signal) => readNode(nodeId, signal), [nodeId], { every_ms: REFRESH_MS });
  const connection = useResource((signal) => readConnection(nodeId, signal), [nodeId], { every_ms: REFRESH_MS });
  const remembered = useConnections([nodeId], REFRESH_MS).get(nodeId);
  const [isDeregistering, setIsDeregistering] = useState(false);

  if (node.error !== undefined && !node.value) {
    return (
      <PageProblem title={visibleLine(nodeId)}>
        <ProblemAlert error={node.error} retry={node.reload} />
      </PageProblem>
    );
  }
  if (!node.value) {
    return node.isLoading ? <Loading /> : <NotThere nodeId={nodeId} />;
  }
  return (
    <SpaceBetween size="l">
      <NodeHeader node={node.value} onDeregister={() => setIsDeregistering(true)} />
      <NodeOverview node={node.value} connection={connection.value} remembered={remembered} />
      <NodeSessions nodeId={nodeId} />
      <NodeTags node={node.value} />
      {isDeregistering && <DeregisterModal node={node.value} onClose={() => setIsDeregistering(false)} />}
    </SpaceBetween>
  );
}

function NodeHeader({ node, onDeregister }: { readonly node: Node; readonly onDeregister: () => void }) {
  const target = new URLSearchParams({ target: node.InstanceId });
  return (
    <Header
      variant="h1"
      description={visibleLine(node.InstanceId)}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button onClick={onDeregister}>{texts.details.deregister}</Button>
          <Button variant="primary" href={href(`/start-session?${target}`)}>
            {texts.start}
          </Button>
        </SpaceBetween>
      }
    >
      {visibleLine(nameOf(node))}
    </Header>
  );
}

function NotThere({ nodeId }: { readonly nodeId: string }) {
  return (
    <PageProblem title={visibleLine(nodeId)}>
      <Alert type="warning" action={<Button href={href('/nodes')}>{texts.title}</Button>}>
        {texts.details.notFound}
      </Alert>
    </PageProblem>
  );
}
