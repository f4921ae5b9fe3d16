import { describe, expect, test } from 'vitest';

import { CastError, readCast, sizeOf } from './cast.ts';
import { commandOf, lasting } from './commands.ts';
import { linesOf, search, textOf } from './plain-text.ts';
import { playable } from './playable.ts';
import { verified } from './recording.ts';
import { timeline } from './timeline.ts';

const HEADER = '{"version":3,"term":{"cols":100,"rows":30},"timestamp":1,"title":"x"}';

test('a recording is read line by line', () => {
  const cast = readCast(`${HEADER}\n[0.5,"o","a"]\n# comment\n\n[1.25,"r","120x40"]\n[0,"x","0"]\n[3,"o","cut`);
  expect(cast).toEqual({
    cols: 100,
    rows: 30,
    events: [
      { at: 0.5, code: 'o', data: 'a' },
      { at: 1.75, code: 'r', data: '120x40' },
      { at: 1.75, code: 'x', data: '0' },
    ],
    duration: 1.75,
  });
});

test.each(['', 'x', '{"version":2,"width":80,"height":24}', '[]', 'null', '[0,"o","no header"]'])('no recording: %s', (text) => {
  expect(() => readCast(text)).toThrow(CastError);
});

test('hostile sizes and events are bounded', () => {
  const cast = readCast('{"version":3,"term":{"cols":1e9,"rows":-1}}\n[1e999,"o","x"]\n[-5,"o","y"]\n["1","o","z"]\n{"a":1}\n[1,"o",3]');
  expect([cast.cols, cast.rows]).toEqual([1000, 24]);
  expect(cast.events).toEqual([{ at: 0, code: 'o', data: 'y' }]);
  expect(sizeOf('99999x2')).toEqual({ cols: 1000, rows: 2 });
  expect([sizeOf('80x'), sizeOf('<img>'), sizeOf('80x24x1')]).toEqual([undefined, undefined, undefined]);
});

test('the player gets no screen that takes its memory, and nothing that reorders a line', () => {
  const played = (code: string, data: string) => playable([{ at: 1, code, data }]).map(({ data }) => data);
  expect(played('r', '65535x65535')).toEqual(['1000x1000']);
  expect(played('r', '120x40')).toEqual(['120x40']);
  expect(played('r', '0x0')).toEqual(['80x24']);
  expect(played('r', 'axb')).toEqual([]);
  expect(played('o', 'a\u202eb\u2066c')).toEqual(['abc']);
  expect([played('i', 'secret'), played('x', '0')]).toEqual([[], []]);
});

describe('plain text', () => {
  const lines = (...data: string[]) => linesOf({ events: data.map((data, at) => ({ at, code: 'o', data })) }).map(({ text }) => text);

  test.each([
    ['colours', ['\u001b[1;31mred\u001b[0m\r\n'], ['red']],
    ['a sequence that is cut', ['a\u001b', '[3', '1mb\n'], ['ab']],
    ['titles and OSC 52', ['\u001b]0;evil title\u0007x\u001b]52;c;ZXZpbA==\u001b\\y\n'], ['xy']],
    ['a link', ['\u001b]8;;javascript:alert(1)\u001b\\click\u001b]8;;\u001b\\\n'], ['click']],
    ['a device string', ['\u001bPq#0;2\u001b\\z\n'], ['z']],
    ['sequences of one character', ['\u009b31mred\u009d0;title\u009c!\n'], ['red!']],
    ['a character set', ['\u001b(0x\u001b(B\n'], ['x']],
    ['a line that is drawn again', ['10%\r20%\r30%\n'], ['30%']],
    ['CRLF', ['a\r\nb\r\n'], ['a', 'b']],
    ['a correction', ['lx\bs\n'], ['ls']],
    ['no line end', ['$ '], ['$ ']],
    ['an endless string', ['\u001b]0;', 'x'.repeat(10_000)], []],
  ])('%s', (_, data, expected) => {
    expect(lines(...data)).toEqual(expected);
  });

  test('a match has the time of its line', () => {
    const found = search(linesOf({ events: [
      { at: 1, code: 'o', data: '$ cat sec' },
      { at: 2, code: 'i', data: 'secret typed' },
      { at: 3, code: 'o', data: 'ret.txt\r\nSECRET\r\n' },
    ] }), 'secret');
    expect(found).toEqual([{ line: 0, at: 1, text: '$ cat secret.txt' }, { line: 1, at: 3, text: 'SECRET' }]);
    expect(search([{ at: 0, text: 'x' }], '')).toEqual([]);
    expect(textOf([{ at: 0, text: 'a' }, { at: 1, text: 'b' }])).toBe('a\nb\n');
  });
});

describe('idle time', () => {
  const events = [1, 2, 62, 63].map((at) => ({ at, code: 'o', data: 'x' }));

  test('is left out', () => {
    const { events: played, duration } = timeline(events, 2);
    expect(played.map(({ at }) => at)).toEqual([1, 2, 4, 5]);
    expect(duration).toBe(5);
  });

  test.each([[0, 0], [1, 1], [1.5, 1.5], [3, 3], [50, 4], [62, 4], [62.5, 4.5], [63, 5], [99, 5]])(
    '%d s of the recording are %d s of the replay',
    (recorded, replayed) => {
      expect(timeline(events, 2).toReplay(recorded)).toBeCloseTo(replayed);
    },
  );

  test.each([[0, 0], [1.5, 1.5], [3, 3], [4, 62], [4.5, 62.5], [9, 63]])('%d s of the replay are %d s of the recording', (replayed, recorded) => {
    expect(timeline(events, 2).toRecording(replayed)).toBeCloseTo(recorded);
  });

  test('a moment survives rounding and the way there and back', () => {
    const { toReplay, toRecording } = timeline(events, 2);
    expect(toRecording(toReplay(62) - 1e-9)).toBeCloseTo(62);
    expect(toReplay(62 - 1e-9)).toBeCloseTo(4);
    expect(toRecording(toReplay(62) + 0.001)).toBeCloseTo(62.001);
  });

  test('stays when nobody wants it out', () => {
    expect(timeline(events).duration).toBe(63);
    expect(timeline([]).toReplay(5)).toBe(0);
  });
});

test('nothing more is said than was compared', () => {
  const bytes = new TextEncoder().encode('abc');
  const digest = 'BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD';
  expect(verified(bytes, digest)).toBe('matches');
  expect(verified(bytes, digest.replace('B', 'A'))).toBe('differs');
  expect(verified(bytes, undefined)).toBe('unknown');
});

test('commands have times in seconds', () => {
  const told = { Number: 2, Text: 'make', Directory: '/srv', StartMs: 1500, EndMs: 4000, DurationMs: 2500, ExitCode: 2, Heuristic: false };
  expect(commandOf(told)).toEqual({
    number: 2,
    text: 'make',
    directory: '/srv',
    startedAt: 1.5,
    duration: 2.5,
    exitCode: 2,
    isGuess: false,
  });
  expect(commandOf({})).toMatchObject({ text: '', duration: undefined, exitCode: undefined, isGuess: false });
});

test.each([[0, '0 s'], [0.256, '0.26 s'], [9.5, '9.5 s'], [59.4, '59 s'], [61, '1:01'], [3723, '1:02:03']])('%d s are %s', (seconds, text) => {
  expect(lasting(seconds)).toBe(text);
});
