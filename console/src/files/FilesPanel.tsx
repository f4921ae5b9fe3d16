/** The files of a terminal's node, beside it: where one is, what is there, what is being moved. */

import './files.css';

import { useEffect, useRef, useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { useIsDark } from '../app/theme.ts';
import { href } from '../router/location.ts';
import { pathOf } from '../router/route.ts';
import { type Carried, carriedBy } from '../terminal/carried.ts';
import type { Live } from '../terminal/live.ts';
import { useDrop } from '../terminal/use-drop.ts';
import { filesTexts as texts } from '../texts/files.ts';
import { useResource } from '../ui/resource.ts';
import { visibleLine } from '../ui/visible.ts';
import { Actions } from './Actions.tsx';
import { ConflictDialog } from './ConflictDialog.tsx';
import { type Directory, readDirectory, type Row } from './directory.ts';
import { DirectoryTable } from './DirectoryTable.tsx';
import { type Files, filesOf } from './files.ts';
import { parentOf } from './paths.ts';
import { PathBar } from './PathBar.tsx';
import { Refusal } from './Refusal.tsx';
import { isClosed } from './sftp/failure.ts';
import { TransferList } from './TransferList.tsx';
import { type Proposal, UploadDialog } from './UploadDialog.tsx';
import { useFiles } from './use-files.ts';
import { wordsOf, wordsOfEnd } from './words.ts';

interface Props {
  readonly live: Live;
  /** Dropped onto the terminal. */
  readonly dropped: Carried | undefined;
  readonly onDropTaken: () => void;
  readonly onClose: () => void;
}

/** Whatever somebody wants to upload, and where it would go. */
interface Upload {
  readonly carried: Carried;
  readonly proposal: Proposal;
}

const NOTHING: readonly Row[] = [];
/** How long nothing was uploaded before the directory is read again. */
const RELOAD_AFTER_MS = 400;

export default function FilesPanel({ live, dropped, onDropTaken, onClose }: Props) {
  const files = filesOf(live);
  useFiles(files);
  const isDark = useIsDark();
  const path = files.shownPath;
  const directory = useDirectory(files, path);
  const [selectedPaths, setSelectedPaths] = useState<readonly string[]>([]);
  const [upload, setUpload] = useState<Upload>();
  const place = useRef<HTMLElement>(null);
  useEffect(() => place.current?.focus(), []);
  const isOver = useDrop(place, (transfer) => setUpload({ carried: carriedBy(transfer), proposal: { directory: directory.shown?.path, isSaid: false } }));

  const { shown } = directory;
  const pathBar = useRef<HTMLElement>(null);
  const isGoing = useRef(false);
  useEffect(() => {
    // What was clicked is gone with the former directory.
    if (isGoing.current) {
      isGoing.current = false;
      pathBar.current?.focus();
    }
  }, [shown?.path]);
  const selected = shown?.rows.filter((row) => selectedPaths.includes(row.path)) ?? NOTHING;
  const open = (next: string) => {
    isGoing.current = true;
    files.show(next);
    setSelectedPaths([]);
  };
  const wanted = upload ?? (dropped && { carried: dropped, proposal: { directory: live.view.directory, isSaid: true } });
  const closeUpload = () => {
    setUpload(undefined);
    onDropTaken();
  };
  const isRefused = files.state.kind === 'refused';

  return (
    <section
      ref={place}
      className="files-panel"
      style={{ background: isDark ? '#161d26' : '#ffffff' }}
      data-drop={isOver || undefined}
      aria-label={texts.title(visibleLine(files.target))}
      tabIndex={-1}
    >
      <div className="files-body">
        <SpaceBetween size="s">
          <Top files={files} onClose={onClose} />
          <Standing files={files} onAgain={directory.reload} />
          {shown && !isRefused && (
            <Box>
              <PathBar place={pathBar} path={shown.path} home={shown.home} onOpen={open} />
            </Box>
          )}
          {shown && !isRefused && (
            <Actions
              files={files}
              directory={shown}
              selected={selected}
              onUpload={(carried) => setUpload({ carried, proposal: { directory: shown.path, isSaid: false } })}
              onChanged={directory.reload}
            />
          )}
          {directory.error !== undefined && files.state.kind === 'open' && <Problem error={directory.error} path={path} onOpen={open} retry={directory.reload} />}
          {shown && directory.error === undefined && !isRefused && (
            <DirectoryTable key={shown.path} rows={shown.rows} selected={selected} onSelect={(rows) => setSelectedPaths(rows.map((row) => row.path))} onOpen={open} />
          )}
          {!shown && directory.isLoading && files.state.kind === 'open' && <StatusIndicator type="loading">{texts.loadingDirectory}</StatusIndicator>}
          {shown && !isRefused && <Cut directory={shown} />}
        </SpaceBetween>
      </div>
      <TransferList transfers={files.transfers} />
      {wanted && !isRefused && <UploadDialog files={files} carried={wanted.carried} proposal={wanted.proposal} onStarted={open} onClose={closeUpload} />}
      {files.questions.first && <ConflictDialog key={files.questions.first.path} question={files.questions.first} />}
    </section>
  );
}

/** Read again whenever something was moved into it. The last one stays while another is read. */
function useDirectory(files: Files, path: string | undefined) {
  const directory = useResource((signal) => files.use((client, home) => readDirectory(client, home, path, signal)), [path ?? null]);
  const { reload, value, error } = directory;
  const isUp = files.state.kind === 'open';
  useEffect(() => {
    // A transfer has opened another session.
    if (isUp && isClosed(error)) {
      reload();
    }
  }, [isUp, error, reload]);
  const [last, setLast] = useState(value);
  if (value !== undefined && value !== last) {
    setLast(value);
  }
  const shown = (value ?? last)?.path;
  useEffect(() => {
    let timer: number | undefined;
    const stop = files.whenFinished(({ direction, path: moved }) => {
      if (direction === 'up' && shown !== undefined && moved.startsWith(shown)) {
        // Many small files are done at once.
        window.clearTimeout(timer);
        timer = window.setTimeout(reload, RELOAD_AFTER_MS);
      }
    });
    return () => {
      stop();
      window.clearTimeout(timer);
    };
  }, [files, shown, reload]);
  return { ...directory, shown: value ?? last };
}

function Top({ files, onClose }: { readonly files: Files; readonly onClose: () => void }) {
  const { state } = files;
  return (
    <>
      <Header variant="h2" actions={<Button variant="icon" iconName="close" ariaLabel={texts.close} onClick={onClose} />}>
        {texts.title(visibleLine(files.target))}
      </Header>
      <Box variant="small" display="block">
        {texts.own} {texts.recorded}{' '}
        {state.kind === 'open' && (
          <Link fontSize="inherit" href={href(pathOf('/sessions/:sessionId', { sessionId: state.sessionId }))} target="_blank">
            {texts.ownSession}
          </Link>
        )}
      </Box>
    </>
  );
}

/** How the session with the files stands, if there is something to say. */
function Standing({ files, onAgain }: { readonly files: Files; readonly onAgain: () => void }) {
  const { state } = files;
  const again = <Button onClick={onAgain}>{texts.again}</Button>;
  switch (state.kind) {
    case 'starting':
      return <StatusIndicator type="loading">{texts.loading}</StatusIndicator>;
    case 'open':
      return state.isReached ? null : <Alert type="warning">{texts.lost}</Alert>;
    case 'refused':
      return <Refusal error={state.error} retry={onAgain} />;
    case 'over':
      return (
        <Alert type={state.why.code === 'ended' ? 'info' : 'error'} action={again}>
          {wordsOfEnd(state.why)}
        </Alert>
      );
    case 'idle':
      return state.why === 'unused' ? (
        <Alert type="info" action={again}>
          {texts.ended.unused}
        </Alert>
      ) : null;
  }
}

interface ProblemProps {
  readonly error: unknown;
  readonly path: string | undefined;
  readonly onOpen: (path: string) => void;
  readonly retry: () => void;
}

/** Why the directory is not there. */
function Problem({ error, path, onOpen, retry }: ProblemProps) {
  return (
    <Alert
      type="error"
      action={
        <SpaceBetween direction="horizontal" size="xs">
          {path !== undefined && path !== '/' && <Button onClick={() => onOpen(parentOf(path))}>{texts.up}</Button>}
          <Button onClick={retry}>{texts.retry}</Button>
        </SpaceBetween>
      }
    >
      {path !== undefined && <div>{visibleLine(path)}</div>}
      {wordsOf(error)}
    </Alert>
  );
}

function Cut({ directory: { rows, isCut, refused } }: { readonly directory: Directory }) {
  return (
    <>
      {isCut && <Alert type="warning">{texts.cut(rows.length)}</Alert>}
      {refused > 0 && <Alert type="warning">{texts.hidden(refused)}</Alert>}
    </>
  );
}
