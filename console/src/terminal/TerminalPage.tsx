/** Terminals in tabs and splits. The address says which; leaving the page leaves the sessions running. */

import './terminal.css';

import { lazy, Suspense, useCallback, useEffect, useState, useSyncExternalStore } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Tabs from '@cloudscape-design/components/tabs';

import { call } from '../api/call.ts';
import * as ssm from '../api/generated/ssm.ts';
import { useIsDark } from '../app/theme.ts';
import { href, navigate, useLocation } from '../router/location.ts';
import { useSignIn } from '../sign-in/state.ts';
import { terminalTexts } from '../texts/terminal.ts';
import { ProblemAlert } from '../ui/ProblemAlert.tsx';
import { visibleLine } from '../ui/visible.ts';
import type { Carried } from './carried.ts';
import { copySelection } from './clipboard.ts';
import type { Appearance } from './emulator.ts';
import { commandOf, type Command } from './keys.ts';
import type { Live } from './live.ts';
import { LiveSet } from './live-set.ts';
import { remember } from './open.ts';
import { Pane } from './Pane.tsx';
import { prefer, preferences, usePreferences } from './preferences.ts';
import { Tools, TOOLS_ID } from './Tools.tsx';
import { useNoStrayDrops } from './use-drop.ts';
import { pathOfWorkspace, readWorkspace, replaced, withPane, withTab, without, type Workspace } from './workspace.ts';

const FilesPanel = lazy(() => import('../files/FilesPanel.tsx'));

const lives = new LiveSet();

export default function TerminalPage() {
  const { query } = useLocation();
  const workspace = readWorkspace(query);
  const top = useTop();
  if (workspace.tabs.length === 0) {
    return <NoTerminal />;
  }
  return (
    <div className="terminal-page" style={{ '--terminal-top': `${top}px` } as React.CSSProperties}>
      <Terminals workspace={workspace} />
    </div>
  );
}

function Terminals({ workspace }: { readonly workspace: Workspace }) {
  const panes = useLives(workspace);
  const tab = workspace.tabs[workspace.active];
  const shown = tab?.sessionIds.flatMap((id) => panes.get(id) ?? []) ?? [];
  const [focused, setFocused] = useState<string>();
  const [searching, setSearching] = useState<string>();
  const [error, setError] = useState<unknown>();
  const [isFilesOpen, setIsFilesOpen] = useState(false);
  const [dropped, setDropped] = useState<{ readonly onto: Live; readonly carried: Carried }>();
  const active = shown.find((live) => live.sessionId === focused) ?? shown[0];
  useKeys(shown, workspace, setSearching, setError);
  useNoStrayDrops();
  const start = (live: Live, place: (sessionId: string) => Workspace) => {
    const started = (id: string) => {
      setFocused(id);
      show(place(id));
    };
    startLike(live).then(started, setError);
  };

  return (
    <>
      {error !== undefined && <ProblemAlert error={error} retry={() => setError(undefined)} />}
      <div className="terminal-body">
        <div className="terminal-tabs">
          <Tabs
            ariaLabel={terminalTexts.terminals}
            disableContentPaddings
            fitHeight
            activeTabId={String(workspace.active)}
            onChange={({ detail }) => show({ ...workspace, active: Number(detail.activeTabId) })}
            actions={
              active && (
                <Tools
                  live={active}
                  tabs={workspace.tabs.length}
                  panes={shown.length}
                  isFilesOpen={isFilesOpen}
                  onFiles={() => setIsFilesOpen(!isFilesOpen)}
                  onSearch={() => setSearching(active.sessionId)}
                  onNewTab={() => start(active, (id) => withTab(workspace, id))}
                  onSplit={(direction) => start(active, (id) => withPane(workspace, id, direction))}
                  onError={setError}
                />
              )
            }
            tabs={workspace.tabs.map((tab, index) => {
              const label = tab.sessionIds.map((id) => nameOf(panes.get(id), id)).join(' · ');
              return {
                id: String(index),
                label,
                dismissible: true,
                dismissLabel: terminalTexts.closeOf(label),
                onDismiss: () => show(tab.sessionIds.reduce(without, workspace)),
                content: index === workspace.active && (
                  <div className="terminal-panes" data-direction={tab.direction} data-several={tab.sessionIds.length > 1 || undefined}>
                    {shown.map((live) => (
                      <Pane
                        key={live.sessionId}
                        live={live}
                        isActive={live === active}
                        isSearching={searching === live.sessionId}
                        onFocus={() => setFocused(live.sessionId)}
                        onSearchClosed={() => setSearching(undefined)}
                        onAgain={() => start(live, (id) => replaced(workspace, live.sessionId, id))}
                        onDropped={(carried) => {
                          setFocused(live.sessionId);
                          setDropped({ onto: live, carried });
                          setIsFilesOpen(true);
                        }}
                      />
                    ))}
                  </div>
                ),
              };
            })}
          />
        </div>
        {isFilesOpen && active && (
          <Suspense fallback={<StatusIndicator type="loading">{terminalTexts.loadingFiles}</StatusIndicator>}>
            <FilesPanel
              key={active.sessionId}
              live={active}
              dropped={dropped?.onto === active ? dropped.carried : undefined}
              onDropTaken={() => setDropped(undefined)}
              onClose={() => {
                setIsFilesOpen(false);
                setDropped(undefined);
                active.emulator.focus();
              }}
            />
          </Suspense>
        )}
      </div>
    </>
  );
}

function NoTerminal() {
  const texts = terminalTexts.none;
  return (
    <Box textAlign="center" padding="xxxl">
      <Box variant="h1">{texts.header}</Box>
      <Box variant="p" margin={{ bottom: 'l' }}>
        {texts.body}
      </Box>
      <Button href={href('/nodes')}>{texts.action}</Button>
    </Box>
  );
}

/** The terminals of the workspace. Whatever is not in it is left; its session goes on. */
function useLives(workspace: Workspace): ReadonlyMap<string, Live> {
  const signIn = useSignIn();
  const isDark = useIsDark();
  const { fontSize, screenReader } = usePreferences();
  useSyncExternalStore(lives.subscribe, lives.version);
  const appearance: Appearance = { isDark, fontSize, screenReader };
  const { publicUrl, principalArn } = signIn;
  const server = { clientVersion: `postern/${signIn.version}`, publicUrl, principalArn };
  const ids = workspace.tabs.flatMap((tab) => tab.sessionIds);
  const key = ids.join(' ');
  useEffect(() => lives.keepOnly(key.split(' ')), [key]);
  useEffect(() => () => lives.leaveSoon(), []);
  useEffect(() => {
    lives.all().forEach((live) => {
      live.emulator.look({ isDark, fontSize, screenReader });
    });
  }, [isDark, fontSize, screenReader]);
  useEffect(() => {
    const hurry = () => document.visibilityState === 'visible' && lives.all().forEach((live) => live.hurry());
    window.addEventListener('online', hurry);
    document.addEventListener('visibilitychange', hurry);
    return () => {
      window.removeEventListener('online', hurry);
      document.removeEventListener('visibilitychange', hurry);
    };
  }, []);
  return new Map(ids.map((id) => [id, lives.get(id, server, appearance)]));
}

function useKeys(shown: readonly Live[], workspace: Workspace, search: (sessionId: string) => void, fail: (error: unknown) => void): void {
  useEffect(() => {
    const run = (live: Live, command: Command) => {
      switch (command) {
        case 'leave':
          document.querySelector<HTMLElement>(`#${TOOLS_ID} button`)?.focus();
          break;
        case 'search':
          search(live.sessionId);
          break;
        case 'copy':
          copySelection(live.emulator.selection).catch(fail);
          break;
        case 'next-tab':
          show({ ...workspace, active: (workspace.active + 1) % workspace.tabs.length });
          break;
        case 'larger':
        case 'smaller':
          prefer({ fontSize: preferences().fontSize + (command === 'larger' ? 1 : -1) });
          break;
        case 'paste':
          break;
      }
    };
    for (const live of shown) {
      live.handleKeys((event) => {
        const command = commandOf(event);
        if (!command) {
          return true;
        }
        // The browser itself pastes; everything else it would take for something of its own.
        if (command !== 'paste') {
          event.preventDefault();
        }
        if (event.type === 'keydown') {
          run(live, command);
        }
        return false;
      });
    }
  });
}

/** Another session on the same node with the same document. */
async function startLike(live: Live): Promise<string> {
  const { target, documentName } = live.view;
  const started = await call(ssm.StartSession, { Target: target, DocumentName: documentName ?? undefined });
  const { SessionId = '', StreamUrl = '', TokenValue = '' } = started;
  return remember({ SessionId, StreamUrl, TokenValue, target, documentName: documentName ?? undefined });
}

function show(workspace: Workspace): void {
  navigate(pathOfWorkspace(workspace), 'replace');
}

function nameOf(live: Live | undefined, sessionId: string): string {
  return visibleLine(live?.view.target || sessionId);
}

/** Where the top bar ends. */
function useTop(): number {
  const [top, setTop] = useState(56);
  const measure = useCallback(() => setTop(document.querySelector('#top')?.getBoundingClientRect().bottom ?? 0), []);
  useEffect(() => {
    const bar = document.querySelector('#top');
    const observer = new ResizeObserver(measure);
    if (bar) {
      observer.observe(bar);
    }
    return () => observer.disconnect();
  }, [measure]);
  return top;
}
