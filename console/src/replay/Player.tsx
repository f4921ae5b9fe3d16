/**
 * The asciinema player: a terminal emulator in WebAssembly that draws characters and nothing else, so links, titles and
 * clipboard sequences of a recording mean nothing to it.
 */

import 'asciinema-player/dist/bundle/asciinema-player.css';
import './replay.css';

import { useEffect, useImperativeHandle, useRef, type Ref } from 'react';

import { create, type Player as AsciinemaPlayer } from 'asciinema-player';

import { prefersReducedMotion, useIsDark } from '../app/theme.ts';
import { replayTexts } from '../texts/replay.ts';
import type { Cast } from './cast.ts';
import { playable } from './playable.ts';
import type { Timeline } from './timeline.ts';

/** A moment that the seek bar shows. */
export interface Marker {
  /** Seconds of the recording. */
  readonly at: number;
  readonly label: string;
}

export interface PlayerRef {
  /** Seconds of the recording. */
  readonly time: () => number;
  readonly seek: (at: number) => void;
}

interface Props {
  readonly ref: Ref<PlayerRef>;
  readonly cast: Cast;
  readonly timeline: Timeline;
  readonly markers: readonly Marker[];
  readonly speed: number;
  /** Seconds of the recording. */
  readonly startAt: number;
}

/** A millisecond later: what happened at that moment is shown, however the player rounds. */
function surely(at: number): number {
  return Math.round(at * 1000 + 1) / 1000;
}

export function Player({ ref, cast, timeline, markers, speed, startAt }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const player = useRef<AsciinemaPlayer>(null);
  const isPlaying = useRef(false);
  const at = useRef(startAt);
  const isDark = useIsDark();

  useEffect(() => {
    if (!place.current) {
      return undefined;
    }
    const { cols, rows } = cast;
    // Parsers give milliseconds, all else is in seconds: `parseAsciicastV3` in the player's source.
    const events = playable(timeline.events).map(({ at, code, data }) => [at * 1000, code, data] as const);
    const created = create(
      { data: { cols, rows, events }, parser: (recording) => recording as never },
      place.current,
      {
        speed,
        startAt: surely(timeline.toReplay(at.current)),
        autoPlay: isPlaying.current,
        preload: true,
        markers: markers.map(({ at, label }) => [timeline.toReplay(at), label]),
        poster: `npt:${surely(timeline.toReplay(at.current))}`,
        fit: 'both',
        theme: isDark ? 'terminal-dark' : 'terminal-light',
        cursorMode: prefersReducedMotion() ? 'steady' : 'blinking',
        terminalFontFamily: "'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace",
      },
    );
    created.addEventListener('playing', () => {
      isPlaying.current = true;
    });
    for (const stopped of ['pause', 'ended'] as const) {
      created.addEventListener(stopped, () => {
        isPlaying.current = false;
      });
    }
    player.current = created;
    return () => {
      at.current = timeline.toRecording(created.getCurrentTime());
      player.current = null;
      created.dispose();
    };
  }, [cast, timeline, markers, speed, isDark]);

  useImperativeHandle(ref, () => ({
    time: () => timeline.toRecording(player.current?.getCurrentTime() ?? 0),
    seek: (at) => void player.current?.seek(surely(timeline.toReplay(at))),
  }));

  return <section className="replay-player" ref={place} aria-label={replayTexts.player} />;
}
