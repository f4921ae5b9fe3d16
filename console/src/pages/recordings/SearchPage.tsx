/** Lines of all recordings, found by their words; each leads to its moment. */

import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';

import type { RecordingMatch } from '../../api/generated/postern.ts';
import { clock } from '../../replay/clock.ts';
import { commandOf } from '../../replay/commands.ts';
import { commandLine, ExitCode } from '../../replay/CommandsPanel.tsx';
import { href, replaceQuery, useLocation } from '../../router/location.ts';
import { pathOf } from '../../router/route.ts';
import { recordingsTexts as texts } from '../../texts/recordings.ts';
import { Failure } from '../../ui/denial/Failure.tsx';
import { EmptyState } from '../../ui/table/Listing.tsx';
import { Time } from '../../ui/Time.tsx';
import { visibleLine } from '../../ui/visible.ts';
import { piecesOf } from './marks.ts';
import { queryOf, wantedOf } from './query.ts';
import { SearchForm } from './SearchForm.tsx';
import { useSearch } from './useSearch.ts';

import './recordings.css';

export default function SearchPage() {
  const { query } = useLocation();
  const wanted = wantedOf(query);
  const key = queryOf(wanted).toString();
  const { matches, error, isLoading, hasMore, isIncomplete, more, reload } = useSearch(wanted, key);
  const isAsked = wanted.words.trim() !== '';
  return (
    <SpaceBetween size="m">
      {error !== undefined && <Failure error={error} retry={reload} />}
      {isIncomplete && <Alert type="info">{texts.incomplete}</Alert>}
      <Table
        items={matches}
        columnDefinitions={COLUMNS}
        variant="container"
        stickyHeader
        wrapLines
        loading={isLoading && matches.length === 0}
        loadingText={texts.loading}
        empty={isAsked ? <EmptyState title={texts.none} body={texts.noneBody} /> : <EmptyState title={texts.start} body={texts.startBody} />}
        header={
          <Header variant="h1" counter={isAsked && !isLoading ? texts.count(matches.length, !hasMore) : undefined} description={texts.description}>
            {texts.title}
          </Header>
        }
        filter={<SearchForm key={key} wanted={wanted} onChange={(changed) => replaceQuery(queryOf(changed))} />}
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
  );
}

const COLUMNS: TableProps.ColumnDefinition<RecordingMatch>[] = [
  { id: 'line', header: texts.line, minWidth: 260, isRowHeader: true, cell: (match) => <FoundLine match={match} /> },
  {
    id: 'command',
    header: texts.command,
    minWidth: 140,
    cell: ({ Command }) => {
      if (!Command) {
        return texts.absent;
      }
      const { text, exitCode } = commandOf(Command);
      return (
        <span className="found-line">
          {commandLine(text)} {exitCode !== undefined && <ExitCode code={exitCode} />}
        </span>
      );
    },
  },
  {
    id: 'node',
    header: texts.node,
    minWidth: 120,
    cell: ({ Node = '', NodeName }) => visibleLine(NodeName ? `${NodeName} (${Node})` : Node),
  },
  { id: 'owner', header: texts.owner, minWidth: 120, cell: ({ Owner = '' }) => visibleLine(Owner.slice(Owner.indexOf('/') + 1)) },
  { id: 'started', header: texts.started, minWidth: 140, cell: ({ StartedAt }) => <Time at={StartedAt} /> },
];

function FoundLine({ match }: { readonly match: RecordingMatch }) {
  const { SessionId: sessionId = '', AtMs = 0, Line = '', Marks = [], Kind } = match;
  const at = AtMs / 1000;
  return (
    <>
      <Link
        href={`${href(pathOf('/sessions/:sessionId/replay', { sessionId }))}?t=${at}`}
        ariaLabel={texts.replayAt(visibleLine(sessionId), clock(at))}
      >
        {clock(at)}
      </Link>{' '}
      {Kind === 'Session' && <Box variant="small" display="inline">{texts.facts} </Box>}
      <span className="found-line">
        {piecesOf(Line, Marks).map(({ text, isMarked }, index) =>
          // Pieces of a line stay where they are.
          // oxlint-disable-next-line react/no-array-index-key
          isMarked ? <mark key={index}>{visibleLine(text)}</mark> : <span key={index}>{visibleLine(text)}</span>,
        )}
      </span>
    </>
  );
}
