/** What is known of a node, and why it is or is not there. */

import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { nodesTexts } from '../../../texts/nodes.ts';
import { Time } from '../../../ui/Time.tsx';
import { visibleLine } from '../../../ui/visible.ts';
import type { Connection } from '../connections.ts';
import { ConnectionText } from '../ConnectionText.tsx';
import { platformOf, type Node } from '../node.ts';
import { NodeStatus } from '../NodeStatus.tsx';

const texts = nodesTexts.details;
const titles = nodesTexts.columns;

interface Props {
  readonly node: Node;
  /** `connected` or `notconnected`; nothing while that is not known. */
  readonly connection: string | undefined;
  /** What the server remembers of its connections; nothing while that is not known. */
  readonly remembered: Connection | undefined;
}

export function NodeOverview({ node, connection, remembered }: Props) {
  const isConnected = connection === 'connected';
  return (
    <Container header={<Header variant="h2">{texts.overview}</Header>}>
      <KeyValuePairs
        columns={3}
        items={[
          { label: titles.status, value: <NodeStatus status={node.PingStatus} /> },
          { label: titles.since, value: <Time at={node.LastPingDateTime} form="relative" /> },
          {
            label: texts.control,
            value: connection === undefined ? '–' : (
              <StatusIndicator type={isConnected ? 'success' : 'warning'}>
                {isConnected ? texts.connected : texts.notConnected}
              </StatusIndicator>
            ),
          },
          { label: titles.platform, value: visibleLine(platformOf(node)) || '–' },
          { label: titles.agent, value: visibleLine(node.AgentVersion ?? '–') },
          { label: titles.ip, value: visibleLine(node.IPAddress ?? '–') },
          { label: titles.computer, value: visibleLine(node.ComputerName ?? '–') },
          { label: titles.role, value: visibleLine(node.IamRole ?? '–') },
          { label: titles.registered, value: <Time at={node.RegistrationDate} /> },
          { label: titles.activation, value: visibleLine(node.ActivationId ?? '–') },
        ]}
      />
      <p>{remembered ? <ConnectionText connection={remembered} /> : reason(node, connection)}</p>
    </Container>
  );
}

/** Why the status is what it is. */
function reason(node: Node, connection: string | undefined): string {
  if (node.PingStatus !== 'Online') {
    return node.LastPingDateTime === undefined ? texts.reasons.never : texts.reasons.lost;
  }
  return connection === 'notconnected' ? texts.reasons.onlineNotConnected : texts.reasons.online;
}
