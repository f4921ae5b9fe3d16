/** The event history. */

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';

import { href, replaceQuery, useLocation } from '../../router/location.ts';
import { auditTexts } from '../../texts/audit.ts';
import { Failure } from '../../ui/denial/Failure.tsx';
import { download } from '../../ui/download.ts';
import { EmptyState } from '../../ui/table/Listing.tsx';
import { Time } from '../../ui/Time.tsx';
import { visibleLine } from '../../ui/visible.ts';
import { AuditTabs } from './AuditTabs.tsx';
import { EventFilters } from './EventFilters.tsx';
import { recordsAsCsv, recordsAsJson } from './export.ts';
import { filtersOf, queryOf } from './filters.ts';
import { Outcome } from './Outcome.tsx';
import type { AuditRecord } from './record.ts';
import { eventPath } from './subjects.ts';
import { useLookup } from './useLookup.ts';

const texts = auditTexts.events;
const columnTexts = auditTexts.columns;

export default function EventsPage() {
  const { query } = useLocation();
  const filters = filtersOf(query);
  const key = queryOf(filters).toString();
  const { records, error, isLoading, hasMore, more, reload } = useLookup(filters, key);
  return (
    <AuditTabs active="events">
      <SpaceBetween size="m">
        {error !== undefined && <Failure error={error} retry={reload} />}
        <Table
          items={records}
          columnDefinitions={COLUMNS}
          trackBy="eventId"
          variant="container"
          stickyHeader
          wrapLines
          loading={isLoading && records.length === 0}
          loadingText={texts.loading}
          empty={<EmptyState title={texts.empty} body={texts.emptyBody} />}
          header={
            <Header
              variant="h1"
              counter={isLoading ? undefined : texts.count(records.length, !hasMore)}
              description={texts.description}
              actions={
                <SpaceBetween direction="horizontal" size="xs">
                  <Button iconName="refresh" ariaLabel={texts.refresh} onClick={reload} loading={isLoading} />
                  <Export records={records} />
                </SpaceBetween>
              }
            >
              {texts.title}
            </Header>
          }
          filter={<EventFilters key={key} filters={filters} onChange={(changed) => replaceQuery(queryOf(changed))} />}
          footer={
            hasMore && (
              <Box textAlign="center">
                <Button onClick={more} loading={isLoading}>
                  {texts.more}
                </Button>
              </Box>
            )
          }
        />
      </SpaceBetween>
    </AuditTabs>
  );
}

function Export({ records }: { readonly records: readonly AuditRecord[] }) {
  const save = (format: string) =>
    format === 'csv'
      ? download(recordsAsCsv(records), 'text/csv;charset=utf-8', 'events.csv')
      : download(recordsAsJson(records), 'application/json', 'events.json');
  return (
    <ButtonDropdown
      disabled={records.length === 0}
      items={[
        { id: 'json', text: texts.exportJson },
        { id: 'csv', text: texts.exportCsv },
      ]}
      onItemClick={({ detail }) => save(detail.id)}
    >
      {texts.export}
    </ButtonDropdown>
  );
}

const COLUMNS: TableProps.ColumnDefinition<AuditRecord>[] = [
  { id: 'time', header: columnTexts.time, minWidth: 170, cell: ({ eventTime }) => <Time at={eventTime} /> },
  {
    id: 'name',
    header: columnTexts.name,
    minWidth: 160,
    isRowHeader: true,
    cell: ({ eventId, eventName }) => <Link href={href(eventPath(eventId))}>{visibleLine(eventName)}</Link>,
  },
  { id: 'user', header: columnTexts.user, minWidth: 100, cell: ({ who }) => visibleLine(who.name) },
  { id: 'outcome', header: columnTexts.outcome, minWidth: 145, cell: ({ errorCode }) => <Outcome errorCode={errorCode} /> },
  {
    id: 'resources',
    header: columnTexts.resources,
    minWidth: 150,
    cell: ({ subjects, who }) => {
      const others = subjects.filter(({ id }) => id !== who.name);
      return visibleLine(others.map(({ id }) => id).join(', ')) || auditTexts.record.absent;
    },
  },
  {
    id: 'source',
    header: columnTexts.source,
    minWidth: 90,
    cell: ({ eventSource }) => visibleLine(eventSource.replace(/\.amazonaws\.com$/, '')),
  },
  { id: 'address', header: columnTexts.address, minWidth: 110, cell: ({ sourceAddress }) => visibleLine(sourceAddress) },
];
