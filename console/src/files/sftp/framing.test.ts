import { array, assert, integer, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';

import { Framing, PACKET_BYTES_MAX } from './framing.ts';

function framed(packet: Uint8Array): number[] {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, packet.length);
  return [...length, ...packet];
}

test('packets are the same wherever the stream is cut', () => {
  const packets = array(uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 });
  assert(
    property(packets, array(integer({ min: 1, max: 30 })), (packets, cuts) => {
      const stream = Uint8Array.from(packets.flatMap(framed));
      const framing = new Framing();
      const taken: Uint8Array[] = [];
      let at = 0;
      for (const length of [...cuts, stream.length]) {
        taken.push(...framing.take(stream.subarray(at, at + length)));
        at = Math.min(stream.length, at + length);
      }
      expect(taken).toEqual(packets);
    }),
  );
});

test.each([[0], [PACKET_BYTES_MAX + 1], [0xffff_ffff]])('no packet has %i bytes', (length) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, length);
  expect(() => [...new Framing().take(bytes)]).toThrow('violation');
});
