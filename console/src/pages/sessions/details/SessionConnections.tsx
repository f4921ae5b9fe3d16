/** What was forwarded through a session: each connection, and how it went. */

import { useMemo } from 'react';

import Box from '@cloudscape-design/components/box';
import Link from '@cloudscape-design/components/link';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';

import type * as cloudtrail from '../../../api/generated/cloudtrail.ts';
import { href } from '../../../router/location.ts';
import { pathOf } from '../../../router/route.ts';
import { auditTexts } from '../../../texts/audit.ts';
import { sessionsTexts } from '../../../texts/sessions.ts';
import type { Resource } from '../../../ui/resource.ts';
import { Listing, type Column } from '../../../ui/table/Listing.tsx';
import { duration, Time, useNow } from '../../../ui/Time.tsx';
import { visible, visibleLine } from '../../../ui/visible.ts';
import type { RecordedDecision } from '../../audit/record.ts';
import { connectionsOf, lasted_s, REFUSED, type Connection, type ConnectionStatus } from './connections.ts';

const texts = sessionsTexts.connections;
const decisionTexts = auditTexts.record;
/** In the address: what the table is filtered by, such as a connection's identifier. */
const FILTER = 'connections';

interface Props {
  readonly records: Resource<readonly cloudtrail.Event[]>;
  /** Whether more may come. */
  readonly isLive: boolean;
  /** Whether it forwards for all that is known; a session that does not has no table unless it has connections. */
  readonly isExpected: boolean;
}

export function SessionConnections({ records, isLive, isExpected }: Props) {
  const now_s = useNow();
  const { value } = records;
  const connections = useMemo(() => value && connectionsOf(value), [value]);
  if (!isExpected && !connections?.length) {
    return null;
  }
  const state = isLive ? 'open' : 'over';
  return (
    <Listing<Connection>
      variant="container"
      title={texts.title}
      things={texts.things}
      description={texts.description}
      resource={{ ...records, value: connections }}
      columns={columns(now_s)}
      keyOf={({ id }) => id}
      textOf={textOf}
      empty={{ title: texts.empty[state], body: texts.emptyBody[state] }}
      filterName={FILTER}
    />
  );
}

function columns(now_s: number): readonly Column<Connection>[] {
  return [
    {
      id: 'opened',
      header: texts.opened,
      isRowHeader: true,
      width: 150,
      sortBy: ({ opened_s = 0 }) => opened_s,
      isDescending: true,
      cell: ({ eventId, opened_s }) => (
        <Link href={href(pathOf('/audit/:eventId', { eventId }))}>
          <Time at={opened_s} />
        </Link>
      ),
    },
    { id: 'from', header: texts.from, width: 150, sortBy: ({ source = '' }) => source, cell: ({ source = '–' }) => <Breaking text={source} /> },
    { id: 'to', header: texts.to, width: 190, sortBy: ({ destination }) => destination, cell: (connection) => <Destination {...connection} /> },
    {
      id: 'traffic',
      header: texts.traffic,
      width: 120,
      sortBy: ({ bytesIn = 0, bytesOut = 0 }) => bytesIn + bytesOut,
      cell: ({ bytesIn, bytesOut }) => (bytesIn === undefined || bytesOut === undefined ? '–' : sessionsTexts.traffic(bytesIn, bytesOut)),
    },
    {
      id: 'lasted',
      header: texts.lasted,
      width: 100,
      sortBy: (connection) => lasted_s(connection, now_s) ?? 0,
      cell: (connection) => durationText(lasted_s(connection, now_s)),
    },
    { id: 'end', header: texts.end, width: 190, sortBy: ({ status }) => texts.statuses[status], cell: (connection) => <End {...connection} /> },
  ];
}

function Breaking({ text }: { readonly text: string }) {
  return <span style={{ overflowWrap: 'anywhere' }}>{visibleLine(text)}</span>;
}

function Small({ text }: { readonly text: string }) {
  return (
    <Box variant="small" display="block">
      <span style={{ overflowWrap: 'anywhere' }}>{visible(text)}</span>
    </Box>
  );
}

function Destination({ destination, protocol = '', direction = '', address, isListener }: Connection) {
  const directions = isListener ? texts.listeners : texts.directions;
  const begins = (Object.hasOwn(directions, direction) && directions[direction]) || direction;
  return (
    <>
      <Breaking text={destination || '–'} />
      {address !== undefined && address !== destination && <Small text={texts.address(address)} />}
      <Small text={texts.way(protocol, begins)} />
    </>
  );
}

const INDICATORS: Readonly<Record<ConnectionStatus, StatusIndicatorProps.Type>> = {
  open: 'success',
  closed: 'stopped',
  cut: 'stopped',
  refused: 'warning',
  denied: 'error',
};

function End({ status, endReason, details, decision }: Connection) {
  const said = [decision && decided(decision), endReason && endText(endReason), details];
  const more = said.flatMap((text) => (text ? [text] : []));
  return (
    <>
      <StatusIndicator type={INDICATORS[status]}>{texts.statuses[status]}</StatusIndicator>
      {more.map((text) => (
        <Small key={text} text={text} />
      ))}
    </>
  );
}

/** A code in words; an unknown one as it is. */
function endText(endReason: string): string {
  if (endReason.startsWith(REFUSED)) {
    return endReason.slice(REFUSED.length);
  }
  return (Object.hasOwn(texts.ends, endReason) ? texts.ends[endReason] : undefined) ?? endReason;
}

/** The statement that decided, or who did where it was none. */
function decided({ layer = '', policy, statement }: RecordedDecision): string | undefined {
  if (policy !== undefined && statement !== undefined) {
    return decisionTexts.statementOf(statement + 1, policy);
  }
  const { layers } = decisionTexts;
  return Object.hasOwn(layers, layer) ? `${decisionTexts.layer} ${layers[layer as keyof typeof layers]}` : undefined;
}

function durationText(length_s: number | undefined): string {
  return length_s === undefined ? '–' : duration(length_s);
}

function textOf({ id, source, destination, protocol, address, status, endReason, details }: Connection): string {
  return [id, source, destination, protocol, address, texts.statuses[status], endReason, details].join('\n');
}
