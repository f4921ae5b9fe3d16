/** The commands of the recording: what ran when, where, for how long, and how it ended. A click goes there. */

import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table, { type TableProps } from '@cloudscape-design/components/table';

import { replayTexts } from '../texts/replay.ts';
import { ProblemAlert } from '../ui/ProblemAlert.tsx';
import type { Resource } from '../ui/resource.ts';
import { EmptyState } from '../ui/table/Listing.tsx';
import { visibleLine } from '../ui/visible.ts';
import { clock } from './clock.ts';
import { lasting, type Command, type Commands } from './commands.ts';

const texts = replayTexts.commands;
/** Of a command's text, what a line shows. */
const EXCERPT_LENGTH = 300;

interface Props {
  readonly commands: Resource<Commands>;
  readonly onSeek: (at: number) => void;
}

export function CommandsPanel({ commands: { value, error, isLoading, reload }, onSeek }: Props) {
  if (error !== undefined && !value) {
    return (
      <>
        <Header variant="h3">{texts.title}</Header>
        <ProblemAlert error={error} retry={reload} />
      </>
    );
  }
  const commands = value?.commands ?? [];
  return (
    <Table
      items={commands}
      columnDefinitions={columns(onSeek)}
      trackBy={({ number }) => String(number)}
      variant="embedded"
      contentDensity="compact"
      wrapLines
      loading={isLoading && !value}
      loadingText={texts.loading}
      header={
        <Header
          variant="h3"
          counter={value && `(${commands.length})`}
          description={commands.some(({ isGuess }) => isGuess) ? texts.guessed : undefined}
          actions={value && !value.isComplete && <Button iconName="refresh" ariaLabel={texts.reload} onClick={reload} loading={isLoading} />}
        >
          {texts.title}
        </Header>
      }
      empty={<EmptyState title={texts.empty} body={value?.isComplete === false ? texts.readTo(clock(value.readTo)) : texts.emptyBody} />}
      footer={value?.isCut && <Alert type="info">{texts.cut(commands.length)}</Alert>}
    />
  );
}

function columns(onSeek: (at: number) => void): TableProps.ColumnDefinition<Command>[] {
  return [
    {
      id: 'at',
      header: texts.at,
      minWidth: 80,
      cell: ({ startedAt, text }) => (
        <Button variant="inline-link" onClick={() => onSeek(startedAt)} ariaLabel={texts.goTo(clock(startedAt), commandLine(text))}>
          {clock(startedAt)}
        </Button>
      ),
    },
    {
      id: 'command',
      header: texts.command,
      minWidth: 200,
      isRowHeader: true,
      cell: ({ text, isGuess }) => (
        <span className="replay-match">
          {commandLine(text)}
          {isGuess && (
            <Box variant="small" display="inline" color="text-body-secondary">
              {' '}
              {texts.guess}
            </Box>
          )}
        </span>
      ),
    },
    { id: 'exit', header: texts.exitCode, minWidth: 90, cell: ({ exitCode }) => <ExitCode code={exitCode} /> },
    {
      id: 'duration',
      header: texts.duration,
      minWidth: 90,
      cell: ({ duration }) => (duration === undefined ? replayTexts.none : lasting(duration)),
    },
    {
      id: 'directory',
      header: texts.directory,
      minWidth: 120,
      cell: ({ directory }) => (directory === undefined ? replayTexts.none : <span className="replay-match">{visibleLine(directory)}</span>),
    },
  ];
}

export function commandLine(text: string): string {
  return text === '' ? texts.unknown : visibleLine(text.slice(0, EXCERPT_LENGTH));
}

export function ExitCode({ code }: { readonly code: number | undefined }) {
  return code === undefined ? replayTexts.none : <StatusIndicator type={code === 0 ? 'success' : 'error'}>{String(code)}</StatusIndicator>;
}
