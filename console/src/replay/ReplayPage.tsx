/** A recorded session: its facts, the player, a search. `?t=` is the moment to begin at, in seconds. */

import { useCallback, useMemo, useRef, useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Toggle from '@cloudscape-design/components/toggle';

import { notify } from '../app/notifications.ts';
import { href, useLocation } from '../router/location.ts';
import { pathOf, type PageProps } from '../router/route.ts';
import { replayTexts } from '../texts/replay.ts';
import { download } from '../ui/download.ts';
import { ProblemAlert } from '../ui/ProblemAlert.tsx';
import { useResource } from '../ui/resource.ts';
import { visibleLine } from '../ui/visible.ts';
import { readCast, type Cast } from './cast.ts';
import { fetchCommands, type Command } from './commands.ts';
import { commandLine, CommandsPanel } from './CommandsPanel.tsx';
import { Facts } from './Facts.tsx';
import { linesOf, textOf, type Line } from './plain-text.ts';
import { Player, type Marker, type PlayerRef } from './Player.tsx';
import { fetchRecording, TooLong, type Recording } from './recording.ts';
import { SearchPanel } from './SearchPanel.tsx';
import { IDLE_MAX, timeline } from './timeline.ts';

const texts = replayTexts;
const SPEEDS = [0.5, 1, 2, 4, 8];
/** More would hide the seek bar. */
const MARKERS_MAX = 200;
const REREAD_MS = 3000;
const NO_MARKERS: readonly Marker[] = [];

export default function ReplayPage({ parameters }: PageProps) {
  const { sessionId = '' } = parameters;
  const [progress, setProgress] = useState(0);
  const loaded = useResource((signal) => fetchRecording(sessionId, setProgress, signal), [sessionId]);
  const recording = loaded.value;
  return (
    <ContentLayout
      header={
        <Header variant="h1" actions={recording && <Downloads sessionId={sessionId} recording={recording} />}>
          {texts.title(visibleLine(sessionId))}
        </Header>
      }
    >
      <SpaceBetween size="l">
        {loaded.error !== undefined && <Problem error={loaded.error} retry={loaded.reload} />}
        {!recording && loaded.isLoading && <ProgressBar value={progress * 100} label={texts.loading} />}
        {recording && !recording.isComplete && <Running sessionId={sessionId} onReload={loaded.reload} />}
        {recording && (
          <Container header={<Header variant="h2">{texts.facts}</Header>}>
            <Facts recording={recording} />
          </Container>
        )}
        {recording && <Replay key={sessionId} sessionId={sessionId} recording={recording} />}
      </SpaceBetween>
    </ContentLayout>
  );
}

function Replay({ sessionId, recording }: { readonly sessionId: string; readonly recording: Recording }) {
  const { query } = useLocation();
  const startAt = Math.max(0, Number(query.get('t')) || 0);
  const [speed, setSpeed] = useState(1);
  const [skipsIdle, setSkipsIdle] = useState(true);
  const player = useRef<PlayerRef>(null);
  const read = useMemo(() => tryRead(recording), [recording]);
  const times = useMemo(() => read.cast && timeline(read.cast.events, skipsIdle ? IDLE_MAX : undefined), [read, skipsIdle]);
  const [isRead, setIsRead] = useState(false);
  const load = async (signal: AbortSignal) => {
    const found = await fetchCommands(sessionId, signal);
    setIsRead(found.isComplete);
    return found;
  };
  // The server reads a recording a few seconds after it has ended.
  const every_ms = recording.isComplete && !isRead ? REREAD_MS : undefined;
  const commands = useResource(load, [sessionId, recording.bytes.length], every_ms === undefined ? {} : { every_ms });
  // The same marks stay the same value: other ones make another player.
  const marks = JSON.stringify(markersOf(commands.value?.commands));
  const markers = useMemo(() => JSON.parse(marks) as readonly Marker[], [marks]);
  const seek = useCallback((at: number) => player.current?.seek(at), []);
  if (!read.cast || !times) {
    return <ProblemAlert error={read.error} />;
  }
  if (read.cast.events.length === 0) {
    return <Alert type="info">{texts.empty}</Alert>;
  }
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            <SpaceBetween direction="horizontal" size="s" alignItems="center">
              <Toggle checked={skipsIdle} onChange={({ detail }) => setSkipsIdle(detail.checked)}>
                {texts.skipIdle}
              </Toggle>
              <Select
                ariaLabel={texts.speed}
                selectedOption={{ value: String(speed), label: texts.speedOf(speed) }}
                options={SPEEDS.map((speed) => ({ value: String(speed), label: texts.speedOf(speed) }))}
                onChange={({ detail }) => setSpeed(Number(detail.selectedOption.value))}
              />
              <Button iconName="copy" onClick={() => void copyLink(sessionId, player.current?.time() ?? 0)}>
                {texts.copyLink}
              </Button>
            </SpaceBetween>
          }
        >
          {texts.short}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <Player ref={player} cast={read.cast} timeline={times} markers={markers} speed={speed} startAt={startAt} />
        <CommandsPanel commands={commands} onSeek={seek} />
        <SearchPanel lines={read.lines} onSeek={seek} />
      </SpaceBetween>
    </Container>
  );
}

function markersOf(commands: readonly Command[] | undefined): readonly Marker[] {
  if (!commands || commands.length > MARKERS_MAX) {
    return NO_MARKERS;
  }
  return commands.map(({ startedAt, text }) => ({ at: startedAt, label: commandLine(text) }));
}

function Running({ sessionId, onReload }: { readonly sessionId: string; readonly onReload: () => void }) {
  return (
    <Alert
      type="info"
      action={
        <SpaceBetween direction="horizontal" size="xs">
          <Button onClick={onReload}>{texts.reload}</Button>
          <Button href={href(pathOf('/sessions/:sessionId/follow', { sessionId }))}>{texts.follow}</Button>
        </SpaceBetween>
      }
    >
      {texts.running}
    </Alert>
  );
}

function Problem({ error, retry }: { readonly error: unknown; readonly retry: () => void }) {
  return error instanceof TooLong ? <Alert type="info">{texts.tooLong}</Alert> : <ProblemAlert error={error} retry={retry} />;
}

function Downloads({ sessionId, recording }: { readonly sessionId: string; readonly recording: Recording }) {
  return (
    <ButtonDropdown
      items={[
        { id: 'asciicast', text: texts.asAsciicast },
        { id: 'text', text: texts.asText },
      ]}
      onItemClick={({ detail }) => {
        if (detail.id === 'asciicast') {
          download(recording.bytes, 'application/x-asciicast', `${sessionId}.cast`);
        } else {
          download(textOf(tryRead(recording).lines), 'text/plain;charset=utf-8', `${sessionId}.txt`);
        }
      }}
    >
      {texts.download}
    </ButtonDropdown>
  );
}

interface Read {
  readonly cast?: Cast;
  readonly lines: readonly Line[];
  readonly error?: unknown;
}

function tryRead({ bytes }: Recording): Read {
  try {
    const cast = readCast(new TextDecoder().decode(bytes));
    return { cast, lines: linesOf(cast) };
  } catch (error) {
    return { lines: [], error };
  }
}

async function copyLink(sessionId: string, at: number): Promise<void> {
  const path = href(pathOf('/sessions/:sessionId/replay', { sessionId }));
  // Up, never down: the moment just before would not show what the link is for.
  const link = `${window.location.origin}${path}?t=${Math.ceil(at * 1000) / 1000}`;
  try {
    await navigator.clipboard.writeText(link);
    notify({ type: 'success', header: texts.copied, content: link });
  } catch {
    notify({ type: 'warning', header: texts.copyFailed, content: link });
  }
}
