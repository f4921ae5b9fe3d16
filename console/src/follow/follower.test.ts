import { expect, test } from 'vitest';

import { Follower, type State } from './follower.ts';

class FakeSocket extends EventTarget {
  isClosed = false;

  close(): void {
    this.isClosed = true;
  }

  say(data: string): void {
    this.dispatchEvent(new MessageEvent('message', { data }));
  }
}

const HEADER = '{"version":3,"term":{"cols":100,"rows":30}}';

function following({ isSlow = false } = {}) {
  const socket = new FakeSocket();
  const drawn: string[] = [];
  const states: State[] = [];
  const waiting: (() => void)[] = [];
  const screen = {
    resize: ({ cols, rows }: { cols: number; rows: number }) => drawn.push(`${cols}x${rows}`),
    write: (output: string, written: () => void) => {
      drawn.push(output);
      if (isSlow) {
        waiting.push(written);
      } else {
        written();
      }
    },
  };
  const follower = new Follower(socket as unknown as WebSocket, screen, (state) => states.push(state));
  return { socket, drawn, states, waiting, follower };
}

test('the past comes in many lines, the present in single ones', () => {
  const { socket, drawn, states } = following();
  socket.say(`${HEADER}\n[0,"o","a"]\n[1,"o","b"]\n[0,"r","120x40"]\n`);
  socket.say('[0,"o","c"]\n');
  socket.say('[0,"o","d"]');
  expect(drawn).toEqual(['100x30', 'ab', '120x40', 'c', 'd']);
  expect(states).toEqual([{ kind: 'live' }]);
});

test('a line that is cut waits for its end', () => {
  const { socket, drawn } = following();
  socket.say(`${HEADER}\n[0,"o","he`);
  socket.say('llo"]\n');
  expect(drawn).toEqual(['100x30', 'hello']);
});

test('input, and what is no event, is not drawn', () => {
  const { socket, drawn } = following();
  socket.say(`${HEADER}\n[0,"i","secret"]\n[0,"m","mark"]\n{"x":1}\nnonsense\n[0,"o",3]\n`);
  expect(drawn).toEqual(['100x30']);
});

test('the end has a reason, and a loss is no end', () => {
  const ended = following();
  ended.socket.say('{"ended":{"reason":"terminated","status":"Terminated","details":"alice ended it"}}');
  ended.socket.dispatchEvent(new Event('close'));
  expect(ended.states).toEqual([{ kind: 'ended', reason: 'alice ended it' }]);
  const lost = following();
  lost.socket.dispatchEvent(new Event('close'));
  expect(lost.states).toEqual([{ kind: 'lost' }]);
});

test('a slow screen is written to one piece at a time, and too much is given up', () => {
  const { socket, drawn, states, waiting } = following({ isSlow: true });
  socket.say(`${HEADER}\n[0,"o","first"]\n`);
  for (let count = 0; count < 65; count += 1) {
    socket.say(`[0,"o",${JSON.stringify('x'.repeat(1024 * 1024))}]\n`);
  }
  expect(drawn).toEqual(['100x30', 'first']);
  expect([states.at(-1), socket.isClosed]).toEqual([{ kind: 'too-slow' }, true]);
  waiting.forEach((written) => written());
  expect(drawn).toHaveLength(2);
});

test('sizes that wait count too', () => {
  const { socket, drawn, states, waiting } = following({ isSlow: true });
  socket.say(`${HEADER}\n[0,"o","first"]\n`);
  for (let count = 0; count < 1000; count += 1) {
    socket.say(`[0,"r","${count + 1}x40"]\n`);
  }
  waiting.shift()?.();
  expect(drawn).toEqual(['100x30', 'first', '1000x40']);
  socket.say('[0,"o","a"]\n');
  const many = '[0,"r","80x24"]\n[0,"o","x"]\n'.repeat(10_000);
  for (let count = 0; count < 60; count += 1) {
    socket.say(many);
  }
  expect([states.at(-1), socket.isClosed]).toEqual([{ kind: 'too-slow' }, true]);
});
