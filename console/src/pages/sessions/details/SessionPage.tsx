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
import { durationOf, readSession, type Session } from '../session.ts';
import { SessionActions } from '../SessionsPage.tsx';
import { SessionStatus } from '../SessionStatus.tsx';
import { TerminateModal } from '../TerminateModal.tsx';
import { SessionRecords } from './SessionRecords.tsx';

const titles = texts.columns;
const REFRESH_MS = 10_000;

export default function SessionPage({ parameters: { sessionId = '' } }: PageProps) {
  const session = useResource((signal) => readSession(sessionId, signal), [sessionId], { every_ms: REFRESH_MS });
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
      <Overview session={session.value} />
      <SessionRecords sessionId={sessionId} />
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

function Overview({ session }: { readonly session: Session }) {
  const { Target = '', DocumentName = '' } = session;
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
        ]}
      />
    </Container>
  );
}
