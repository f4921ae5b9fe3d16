/** One session: who, where, why, how it ended, and what the audit trail says of it. */

import { useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { Loading } from '../../../app/Loading.tsx';
import { href } from '../../../router/location.ts';
import { pathOf, type PageProps } from '../../../router/route.ts';
import { sessionsTexts as texts } from '../../../texts/sessions.ts';
import { PageProblem } from '../../../ui/PageProblem.tsx';
import { ProblemAlert } from '../../../ui/ProblemAlert.tsx';
import { useResource } from '../../../ui/resource.ts';
import { Time } from '../../../ui/Time.tsx';
import { visible, visibleLine } from '../../../ui/visible.ts';
import { durationOf, isLive, readSession, type Session } from '../session.ts';
import { SessionActions } from '../SessionsPage.tsx';
import { SessionStatus } from '../SessionStatus.tsx';
import { TerminateModal } from '../TerminateModal.tsx';
import { factsOf, type Facts } from './facts.ts';
import { SessionConnections } from './SessionConnections.tsx';
import { SessionRecords, useRecords } from './SessionRecords.tsx';

const titles = texts.columns;
const REFRESH_MS = 10_000;

export default function SessionPage({ parameters: { sessionId = '' } }: PageProps) {
  const session = useResource((signal) => readSession(sessionId, signal), [sessionId], { every_ms: REFRESH_MS });
  const records = useRecords(sessionId);
  const [isTerminating, setIsTerminating] = useState(false);
  if (session.error !== undefined && !session.value) {
    return (
      <PageProblem title={visibleLine(sessionId)}>
        <ProblemAlert error={session.error} retry={session.reload} />
      </PageProblem>
    );
  }
  if (!session.value) {
    return session.isLoading ? (
      <Loading />
    ) : (
      <PageProblem title={visibleLine(sessionId)}>
        <Alert type="warning" header={texts.details.notFound}>
          {texts.details.notFoundBody}
        </Alert>
      </PageProblem>
    );
  }
  const facts = factsOf(records.value ?? []);
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <SessionActions session={session.value} onTerminate={() => setIsTerminating(true)} />
          </SpaceBetween>
        }
      >
        {visibleLine(sessionId)}
      </Header>
      <Overview session={session.value} facts={facts} />
      <SessionConnections records={records} isLive={isLive(session.value)} isExpected={forwards(session.value, facts)} />
      <SessionRecords records={records} />
      {isTerminating && (
        <TerminateModal
          sessionId={sessionId}
          onClose={() => {
            setIsTerminating(false);
            session.reload();
          }}
        />
      )}
    </SpaceBetween>
  );
}

/** Documents that only forward. Others are known by what they were started with, or by their connections. */
const FORWARDING = /^(AWS-StartPortForwardingSession|AWS-StartSSHSession|Postern-StartTunnelSession)/;

function forwards({ DocumentName = '' }: Session, { forwardedTo }: Facts): boolean {
  return forwardedTo !== undefined || FORWARDING.test(DocumentName);
}

function Overview({ session, facts }: { readonly session: Session; readonly facts: Facts }) {
  const { Target = '', DocumentName = '', OutputUrl } = session;
  const logs = [OutputUrl?.S3OutputUrl, OutputUrl?.CloudWatchOutputUrl].filter((url) => url);
  return (
    <Container header={<Header variant="h2">{texts.details.overview}</Header>}>
      <KeyValuePairs
        columns={3}
        items={[
          { label: titles.status, value: <SessionStatus status={session.Status} /> },
          { label: titles.owner, value: visibleLine(session.Owner ?? '–') },
          {
            label: titles.target,
            value: <Link href={href(pathOf('/nodes/:nodeId', { nodeId: Target }))}>{visibleLine(Target)}</Link>,
          },
          { label: titles.started, value: <Time at={session.StartDate} /> },
          { label: titles.ended, value: <Time at={session.EndDate} /> },
          { label: titles.duration, value: durationOf(session) },
          {
            label: titles.document,
            value: <Link href={href(pathOf('/documents/:name', { name: DocumentName }))}>{visibleLine(DocumentName)}</Link>,
          },
          { label: titles.reason, value: visible(session.Reason ?? '–') },
          { label: titles.details, value: visible(session.Details ?? '–') },
          ...(session.MaxSessionDuration
            ? [{ label: titles.maximum, value: texts.minutes(visibleLine(session.MaxSessionDuration)) }]
            : []),
          ...(session.AccessType ? [{ label: titles.access, value: visibleLine(session.AccessType) }] : []),
          ...(logs.length > 0 ? [{ label: titles.logs, value: visible(logs.join('\n')) }] : []),
          ...factItems(facts),
        ]}
      />
    </Container>
  );
}

/** What the audit trail adds, as far as it says something. */
function factItems({ address, clients, forwardedTo, bytesIn, bytesOut, exitCode }: Facts) {
  return [
    { label: titles.address, value: address },
    { label: titles.clients, value: clients.length > 0 ? clients.join(', ') : undefined },
    { label: titles.forwardedTo, value: forwardedTo },
    { label: titles.traffic, value: bytesIn === undefined || bytesOut === undefined ? undefined : texts.traffic(bytesIn, bytesOut) },
    { label: titles.exitCode, value: exitCode?.toString() },
  ].flatMap(({ label, value }) => (value === undefined ? [] : [{ label, value: visibleLine(value) }]));
}
