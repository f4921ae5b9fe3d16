/** One session: what is to be said about it, its screen, its state. */

import { useEffect, useRef } from 'react';

import { useIsDark } from '../app/theme.ts';
import { terminalTexts } from '../texts/terminal.ts';
import { visible, visibleLine } from '../ui/visible.ts';
import { Banner } from './Banner.tsx';
import { carriedBy, type Carried } from './carried.ts';
import { background } from './emulator.ts';
import { pasteText, pastedLines } from './hostile.ts';
import { LinkDialog } from './LinkDialog.tsx';
import type { Live, View } from './live.ts';
import { PasteDialog } from './PasteDialog.tsx';
import { SearchBar } from './SearchBar.tsx';
import { useDrop } from './use-drop.ts';
import { useRtt, useView } from './use-live.ts';

interface Props {
  readonly live: Live;
  readonly isActive: boolean;
  readonly isSearching: boolean;
  readonly onFocus: () => void;
  readonly onSearchClosed: () => void;
  readonly onAgain: () => void;
  /** Files were dropped onto it. */
  readonly onDropped: (carried: Carried) => void;
}

export function Pane({ live, isActive, isSearching, onFocus, onSearchClosed, onAgain, onDropped }: Props) {
  const view = useView(live);
  const isDark = useIsDark();
  const place = useRef<HTMLDivElement>(null);
  useScreen(live, place, isActive);
  usePaste(live, place);
  const isDropOver = useDrop(place, (transfer) => onDropped(carriedBy(transfer)));
  const name = visibleLine(view.target || live.sessionId);

  return (
    <section className="terminal-pane" aria-label={terminalTexts.terminalOf(name)} onFocusCapture={onFocus}>
      <Banner live={live} view={view} onAgain={onAgain} />
      {isSearching && <SearchBar live={live} found={view.found} onClosed={onSearchClosed} />}
      <div className="terminal-place" ref={place} style={{ background: background(isDark) }} />
      {isDropOver && <div className="terminal-drop">{terminalTexts.drop(name)}</div>}
      <Status live={live} view={view} isDark={isDark} />
      {view.link !== undefined && <LinkDialog address={view.link} onClosed={() => live.closeLink()} />}
      {view.paste !== undefined && (
        <PasteDialog
          text={visible(view.paste)}
          lines={pastedLines(view.paste)}
          isBracketed={live.emulator.isPasteBracketed}
          onAnswered={(answer) => live.endPaste(answer)}
        />
      )}
    </section>
  );
}

function Status({ live, view, isDark }: { readonly live: Live; readonly view: View; readonly isDark: boolean }) {
  const rtt = useRtt(live);
  const { state } = view;
  const colors = isDark ? { background: '#1b232d', color: '#c6c6cd' } : { background: '#ebebf0', color: '#424650' };
  return (
    <div className="terminal-status" style={colors}>
      <output data-testid="terminal-state">{stateText(state)}</output>
      {view.isEncrypted && <span>{terminalTexts.encrypted}</span>}
      {view.title !== '' && <span title={terminalTexts.titleSet}>{view.title}</span>}
      <span>{terminalTexts.leaveHint}</span>
      <span title={terminalTexts.roundTripLabel} aria-label={terminalTexts.roundTripLabel} role="note" data-testid="round-trip">
        {rtt === null ? '–' : terminalTexts.roundTrip(rtt)}
      </span>
    </div>
  );
}

function stateText(state: View['state']): string {
  switch (state.kind) {
    case 'connecting':
      return terminalTexts.connecting;
    case 'connected':
      return state.isStarted ? terminalTexts.connected : terminalTexts.starting;
    case 'reconnecting':
    case 'ended':
    case 'failed':
    case 'unknown':
      return '';
  }
}

/** Puts the screen into its place while that is shown. */
function useScreen(live: Live, place: React.RefObject<HTMLDivElement | null>, isActive: boolean): void {
  useEffect(() => {
    if (place.current) {
      live.emulator.attach(place.current);
    }
    return () => live.emulator.detach();
  }, [live, place]);
  useEffect(() => {
    if (isActive) {
      live.emulator.focus();
    }
  }, [live, isActive]);
}

/** Pastes go through here, before xterm.js sees them: several lines are asked about. */
function usePaste(live: Live, place: React.RefObject<HTMLDivElement | null>): void {
  useEffect(() => {
    const element = place.current;
    const onPaste = (event: ClipboardEvent) => {
      event.preventDefault();
      event.stopPropagation();
      const text = pasteText(event.clipboardData?.getData('text/plain') ?? '');
      live.askToPaste(text, pastedLines(text) > 1);
    };
    element?.addEventListener('paste', onPaste, true);
    return () => element?.removeEventListener('paste', onPaste, true);
  }, [live, place]);
}
