/** Sessions, live and ended. */

import { useState } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { href, replaceQuery, useLocation } from '../../router/location.ts';
import { pathOf } from '../../router/route.ts';
import { useSignIn } from '../../sign-in/state.ts';
import { canGoOn } from '../../terminal/going-on.ts';
import { terminalPath } from '../../terminal/open.ts';
import { sessionsTexts as texts } from '../../texts/sessions.ts';
import { useResource } from '../../ui/resource.ts';
import { FilteredTable } from '../../ui/table/FilteredTable.tsx';
import { columns, properties } from './columns.tsx';
import { isLive, readSessions, type List, type Session } from './session.ts';
import { TerminateModal } from './TerminateModal.tsx';

const REFRESH_MS: Readonly<Record<List, number>> = { active: 10_000, history: 60_000 };
/** Documents of every account whose sessions only carry connections. */
const NO_TERMINAL: ReadonlySet<string> = new Set([
  'AWS-StartPortForwardingSession',
  'AWS-StartPortForwardingSessionToRemoteHost',
  'AWS-StartPortForwardingSessionToSocket',
  'AWS-StartSSHSession',
  'AWS-StartNonInteractiveCommand',
  'Postern-StartSFTPSession',
]);
const NEWEST_FIRST = { column: 'started', isDescending: true };

export default function SessionsPage() {
  const { query } = useLocation();
  const list: List = query.get('list') === 'history' ? 'history' : 'active';
  const sessions = useResource<readonly Session[]>((signal, progress) => readSessions(list, signal, progress), [list], {
    every_ms: REFRESH_MS[list],
  });
  const [selectedId, setSelectedId] = useState<string>();
  const [terminated, setTerminated] = useState<Session>();
  const selected = sessions.value?.filter((session) => session.SessionId === selectedId) ?? [];

  function chooseList(chosen: string): void {
    const changed = new URLSearchParams(query);
    changed.set('list', chosen);
    replaceQuery(changed);
  }

  return (
    <>
      <FilteredTable
        key={list}
        label={texts.title}
        filterLabel={texts.filter}
        placeholder={texts.placeholder}
        rows={sessions}
        id={(session) => session.SessionId}
        columns={columns[list]}
        properties={properties}
        defaultOrder={NEWEST_FIRST}
        loadingText={texts.loading}
        selected={selected}
        onSelect={([session]) => setSelectedId(session?.SessionId)}
        header={(counter) => (
          <SpaceBetween size="s">
            <Header
              variant="awsui-h1-sticky"
              counter={counter}
              description={texts.description[list]}
              actions={<Actions list={list} selected={selected[0]} refresh={sessions.reload} onTerminate={setTerminated} />}
            >
              {texts.title}
            </Header>
            <SegmentedControl
              label={texts.lists.label}
              selectedId={list}
              onChange={({ detail }) => chooseList(detail.selectedId)}
              options={[
                { id: 'active', text: texts.lists.active },
                { id: 'history', text: texts.lists.history },
              ]}
            />
          </SpaceBetween>
        )}
        empty={<Box color="inherit">{texts.empty[list]}</Box>}
      />
      {terminated && (
        <TerminateModal
          sessionId={terminated.SessionId}
          onClose={() => {
            setTerminated(undefined);
            sessions.reload();
          }}
        />
      )}
    </>
  );
}

interface ActionsProps {
  readonly list: List;
  readonly selected: Session | undefined;
  readonly refresh: () => void;
  readonly onTerminate: (session: Session) => void;
}

function Actions({ list, selected, refresh, onTerminate }: ActionsProps) {
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Button iconName="refresh" ariaLabel={texts.refresh} onClick={refresh} />
      {!selected && list === 'history' ? (
        <Button disabled>{texts.replay}</Button>
      ) : (
        <SessionActions session={selected} onTerminate={() => selected && onTerminate(selected)} />
      )}
      <Button variant="primary" href={href('/start-session')}>
        {texts.start}
      </Button>
    </SpaceBetween>
  );
}

/** Own sessions that another browser or a command line has. Whether it has a terminal is known to the server. */
function canTakeOver({ SessionId, Owner, DocumentName = '' }: Session, principalArn: string): boolean {
  return Owner === principalArn && !NO_TERMINAL.has(DocumentName) && !canGoOn(SessionId, principalArn);
}

/** What can be done with a session: end or follow it while it lives, replay it afterwards. */
export function SessionActions({ session, onTerminate }: { readonly session: Session | undefined; readonly onTerminate: () => void }) {
  const { principalArn } = useSignIn();
  const page = session && pathOf('/sessions/:sessionId', { sessionId: session.SessionId });
  const live = session !== undefined && isLive(session);
  return (
    <SpaceBetween direction="horizontal" size="xs">
      {(!session || live) && (
        <Button disabled={!live} onClick={onTerminate}>
          {texts.terminate}
        </Button>
      )}
      {session && live && canGoOn(session.SessionId, principalArn) && (
        <Button href={href(terminalPath(session.SessionId))}>{texts.goOn}</Button>
      )}
      {session && live && canTakeOver(session, principalArn) && (
        <Button href={href(terminalPath(session.SessionId))}>{texts.takeOver}</Button>
      )}
      {(!session || live) && (
        <Button disabled={!live} {...(live && { href: href(`${page}/follow`) })}>
          {texts.follow}
        </Button>
      )}
      {session && !live && <Button href={href(`${page}/replay`)}>{texts.replay}</Button>}
    </SpaceBetween>
  );
}
