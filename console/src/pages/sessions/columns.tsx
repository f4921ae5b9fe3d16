/** The columns and the filterable properties of the list of sessions. */

import Link from '@cloudscape-design/components/link';

import { href } from '../../router/location.ts';
import { pathOf } from '../../router/route.ts';
import { sessionsTexts } from '../../texts/sessions.ts';
import type { Column } from '../../ui/table/FilteredTable.tsx';
import type { Property } from '../../ui/table/filter.ts';
import { Time } from '../../ui/Time.tsx';
import { visibleLine } from '../../ui/visible.ts';
import { durationOf, ownerName, type List, type Session } from './session.ts';
import { SessionStatus } from './SessionStatus.tsx';

const titles = sessionsTexts.columns;
const groups = sessionsTexts.groups;

const shared: readonly Column<Session>[] = [
  {
    id: 'id',
    header: titles.id,
    isRowHeader: true,
    minWidth: 250,
    text: ({ SessionId }) => SessionId,
    cell: ({ SessionId }) => (
      <Link href={href(pathOf('/sessions/:sessionId', { sessionId: SessionId }))}>{visibleLine(SessionId)}</Link>
    ),
  },
  { id: 'owner', header: titles.owner, minWidth: 120, text: ownerName, cell: (session) => visibleLine(ownerName(session)) },
  {
    id: 'target',
    header: titles.target,
    minWidth: 185,
    text: ({ Target = '' }) => Target,
    cell: ({ Target = '' }) => <Link href={href(pathOf('/nodes/:nodeId', { nodeId: Target }))}>{visibleLine(Target)}</Link>,
  },
  {
    id: 'status',
    header: titles.status,
    minWidth: 150,
    text: ({ Status = '' }) => Status,
    cell: ({ Status }) => <SessionStatus status={Status} />,
  },
  {
    id: 'started',
    header: titles.started,
    minWidth: 120,
    text: ({ StartDate = 0 }) => String(StartDate),
    cell: ({ StartDate }) => <Time at={StartDate} form="relative" />,
  },
];

const reason: Column<Session> = {
  id: 'reason',
  header: titles.reason,
  minWidth: 130,
  text: ({ Reason = '' }) => Reason,
  cell: ({ Reason }) => visibleLine(Reason ?? '–'),
};

const ended: readonly Column<Session>[] = [
  { id: 'duration', header: titles.duration, minWidth: 110, cell: durationOf },
  { id: 'details', header: titles.details, minWidth: 170, text: ({ Details = '' }) => Details, cell: ({ Details }) => visibleLine(Details ?? '–') },
];

export const columns: Readonly<Record<List, readonly Column<Session>[]>> = {
  active: [...shared, reason],
  history: [...shared, ...ended, reason],
};

export const properties: readonly Property<Session>[] = [
  { key: 'id', label: titles.id, groupLabel: groups.id, text: ({ SessionId }) => SessionId },
  { key: 'owner', label: titles.owner, groupLabel: groups.owner, text: ownerName },
  { key: 'target', label: titles.target, groupLabel: groups.target, text: ({ Target = '' }) => Target },
  { key: 'status', label: titles.status, groupLabel: groups.status, text: ({ Status = '' }) => Status },
  { key: 'document', label: titles.document, groupLabel: groups.document, text: ({ DocumentName = '' }) => DocumentName },
  { key: 'reason', label: titles.reason, groupLabel: groups.reason, text: ({ Reason = '' }) => Reason },
];
