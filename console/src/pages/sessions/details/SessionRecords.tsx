/** The audit trail's records of a session. */

import { useRef } from 'react';

import { useCollection } from '@cloudscape-design/collection-hooks';
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import Pagination from '@cloudscape-design/components/pagination';
import Table from '@cloudscape-design/components/table';

import type * as cloudtrail from '../../../api/generated/cloudtrail.ts';
import { href } from '../../../router/location.ts';
import { pathOf } from '../../../router/route.ts';
import { partTexts } from '../../../texts/parts.ts';
import { sessionsTexts } from '../../../texts/sessions.ts';
import { ProblemAlert } from '../../../ui/ProblemAlert.tsx';
import { type Resource, useResource } from '../../../ui/resource.ts';
import { Time } from '../../../ui/Time.tsx';
import { visibleLine } from '../../../ui/visible.ts';
import { readRecords, RECORDS_MAX } from '../session.ts';
import { summaryOf } from './summary.ts';

const texts = sessionsTexts.details;
const REFRESH_MS = 5_000;
const PAGE_ROWS = 50;

/** All records of a session, newest first. Those that were read are not read again. */
export function useRecords(sessionId: string): Resource<readonly cloudtrail.Event[]> {
  const known = useRef<{ readonly of: string; readonly records: readonly cloudtrail.Event[] }>({ of: sessionId, records: [] });
  return useResource(
    async (signal, progress) => {
      const before = known.current.of === sessionId ? known.current.records : [];
      const records = await readRecords(sessionId, before, signal, progress);
      known.current = { of: sessionId, records };
      return records;
    },
    [sessionId],
    { every_ms: REFRESH_MS },
  );
}

const NOTHING: readonly never[] = [];
const { nextPage, previousPage, page, pages } = partTexts.list;
const PAGES = { nextPageLabel: nextPage, previousPageLabel: previousPage, pageLabel: page, paginationLabel: pages };

export function SessionRecords({ records }: { readonly records: Resource<readonly cloudtrail.Event[]> }) {
  const { value = NOTHING } = records;
  const { items, paginationProps } = useCollection(value, { pagination: { pageSize: PAGE_ROWS } });
  return (
    <Table
      variant="container"
      wrapLines
      items={items}
      loading={records.isLoading && !records.value}
      loadingText={texts.loadingRecords}
      ariaLabels={{ tableLabel: texts.records }}
      header={
        <Header
          variant="h2"
          counter={records.value && `(${value.length})`}
          description={value.length < RECORDS_MAX ? texts.recordsDescription : texts.recordsCut(RECORDS_MAX)}
        >
          {texts.records}
        </Header>
      }
      pagination={value.length > PAGE_ROWS && <Pagination {...paginationProps} ariaLabels={PAGES} />}
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
