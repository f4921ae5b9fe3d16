/** The live sessions of a node. */

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import Table from '@cloudscape-design/components/table';

import { href } from '../../../router/location.ts';
import { pathOf } from '../../../router/route.ts';
import { nodesTexts } from '../../../texts/nodes.ts';
import { sessionsTexts } from '../../../texts/sessions.ts';
import { ProblemAlert } from '../../../ui/ProblemAlert.tsx';
import { useResource } from '../../../ui/resource.ts';
import { Time } from '../../../ui/Time.tsx';
import { visibleLine } from '../../../ui/visible.ts';
import { ownerName } from '../../sessions/session.ts';
import { SessionStatus } from '../../sessions/SessionStatus.tsx';
import { readSessionsOf } from '../node.ts';

const texts = nodesTexts.details;
const titles = sessionsTexts.columns;
const REFRESH_MS = 10_000;

export function NodeSessions({ nodeId }: { readonly nodeId: string }) {
  const sessions = useResource((signal) => readSessionsOf(nodeId, signal), [nodeId], { every_ms: REFRESH_MS });
  const all = new URLSearchParams({ list: 'history', filter: `target=${nodeId}` });
  return (
    <Table
      variant="container"
      items={sessions.value ?? []}
      loading={sessions.isLoading && !sessions.value}
      loadingText={sessionsTexts.loading}
      ariaLabels={{ tableLabel: texts.sessions }}
      header={
        <Header variant="h2" counter={sessions.value && `(${sessions.value.length})`} actions={<Button href={href(`/sessions?${all}`)}>{texts.allSessions}</Button>}>
          {texts.sessions}
        </Header>
      }
      empty={sessions.error === undefined ? <Box color="inherit">{texts.noSessions}</Box> : <ProblemAlert error={sessions.error} retry={sessions.reload} />}
      columnDefinitions={[
        {
          id: 'id',
          header: titles.id,
          isRowHeader: true,
          cell: ({ SessionId = '' }) => (
            <Link href={href(pathOf('/sessions/:sessionId', { sessionId: SessionId }))}>{visibleLine(SessionId)}</Link>
          ),
        },
        { id: 'owner', header: titles.owner, cell: (session) => visibleLine(ownerName(session)) },
        { id: 'status', header: titles.status, cell: (session) => <SessionStatus status={session.Status} /> },
        { id: 'started', header: titles.started, cell: (session) => <Time at={session.StartDate} form="relative" /> },
        { id: 'reason', header: titles.reason, cell: (session) => visibleLine(session.Reason ?? '–') },
      ]}
    />
  );
}
