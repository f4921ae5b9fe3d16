/** The commands of a recorded shell, as the server has read them from the recording. */

import { call } from '../api/call.ts';
import * as postern from '../api/generated/postern.ts';

export interface Command {
  readonly number: number;
  /** Of the node: one or more lines, or nothing. */
  readonly text: string;
  readonly directory: string | undefined;
  /** Seconds since the beginning of the recording. */
  readonly startedAt: number;
  /** Seconds; none of a command that runs, or whose end nobody has told. */
  readonly duration: number | undefined;
  readonly exitCode: number | undefined;
  /** The shell tells nothing: this is guessed from its prompts. */
  readonly isGuess: boolean;
}

export interface Commands {
  readonly commands: readonly Command[];
  /** Seconds of the recording that have been read. */
  readonly readTo: number;
  readonly isComplete: boolean;
  /** There are more than a page shows. */
  readonly isCut: boolean;
}

const PAGE_COMMANDS = 1000;
/** More are for `postern recordings timeline`. */
export const COMMANDS_MAX = 5000;

/** Asks for the commands of a session. */
export async function fetchCommands(sessionId: string, signal: AbortSignal): Promise<Commands> {
  const commands: Command[] = [];
  let next: string | undefined;
  for (;;) {
    const input = { SessionId: sessionId, MaxResults: PAGE_COMMANDS, ...(next !== undefined && { NextToken: next }) };
    const page = await call(postern.GetSessionTimeline, input, signal);
    commands.push(...(page.Commands ?? []).map(commandOf));
    next = page.NextToken;
    if (next === undefined || commands.length >= COMMANDS_MAX) {
      return { commands, readTo: (page.ReadTo ?? 0) / 1000, isComplete: page.Complete ?? false, isCut: next !== undefined };
    }
  }
}

export function commandOf(command: postern.SessionCommand): Command {
  return {
    number: command.Number ?? 0,
    text: command.Text ?? '',
    directory: command.Directory,
    startedAt: (command.StartMs ?? 0) / 1000,
    duration: command.DurationMs === undefined ? undefined : command.DurationMs / 1000,
    exitCode: command.ExitCode,
    isGuess: command.Heuristic ?? false,
  };
}

/** `0.25 s`, `12 s`, `3:07`. */
export function lasting(seconds: number): string {
  if (seconds < 10) {
    return `${Number(seconds.toFixed(2))} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number: number) => String(number).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
