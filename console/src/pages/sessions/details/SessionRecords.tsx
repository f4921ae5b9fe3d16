/** The audit trail's records of a session. */

import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import Table from '@cloudscape-design/components/table';

import type * as cloudtrail from '../../../api/generated/cloudtrail.ts';
import { href } from '../../../router/location.ts';
import { pathOf } from '../../../router/route.ts';
import { sessionsTexts } from '../../../texts/sessions.ts';
import { ProblemAlert } from '../../../ui/ProblemAlert.tsx';
import { type Resource, useResource } from '../../../ui/resource.ts';
import { Time } from '../../../ui/Time.tsx';
import { visibleLine } from '../../../ui/visible.ts';
import { readRecords } from '../session.ts';
import { summaryOf } from './summary.ts';

const texts = sessionsTexts.details;
const REFRESH_MS = 15_000;

/** All records of a session, newest first. */
export function useRecords(sessionId: string): Resource<readonly cloudtrail.Event[]> {
  return useResource((signal) => readRecords(sessionId, signal), [sessionId], { every_ms: REFRESH_MS });
}

export function SessionRecords({ records }: { readonly records: Resource<readonly cloudtrail.Event[]> }) {
  return (
    <Table
      variant="container"
      wrapLines
      items={records.value ?? []}
      loading={records.isLoading && !records.value}
      loadingText={texts.loadingRecords}
      ariaLabels={{ tableLabel: texts.records }}
      header={
        <Header variant="h2" counter={records.value && `(${records.value.length})`} description={texts.recordsDescription}>
          {texts.records}
        </Header>
      }
      empty={
        records.error === undefined ? (
          <Box color="inherit">{texts.noRecords}</Box>
        ) : (
          <ProblemAlert error={records.error} retry={records.reload} />
        )
      }
      columnDefinitions={[
        { id: 'when', header: texts.when, minWidth: 170, cell: ({ EventTime }) => <Time at={EventTime} /> },
        {
          id: 'event',
          header: texts.event,
          isRowHeader: true,
          minWidth: 190,
          cell: ({ EventId = '', EventName = '' }) => (
            <Link href={href(pathOf('/audit/:eventId', { eventId: EventId }))}>{visibleLine(EventName)}</Link>
          ),
        },
        { id: 'user', header: texts.user, cell: ({ Username }) => visibleLine(Username ?? '–') },
        { id: 'summary', header: texts.summary, minWidth: 260, cell: ({ CloudTrailEvent }) => visibleLine(summaryOf(CloudTrailEvent)) },
      ]}
    />
  );
}
