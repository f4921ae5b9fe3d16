/** Cuts a stream of bytes into packets. */

import { violation } from './failure.ts';

/** The longest packet that is taken; as OpenSSH and Postern's agent. */
export const PACKET_BYTES_MAX = 256 * 1024;
/** What says how long a packet is. */
const LENGTH_BYTES = 4;

export class Framing {
  readonly #length = new Uint8Array(LENGTH_BYTES);
  /** Once its length is known. */
  #packet: Uint8Array | undefined;
  #filled = 0;

  /** Takes what came and gives the packets that are whole, without their lengths. */
  *take(bytes: Uint8Array): Generator<Uint8Array> {
    for (let rest = bytes; rest.length > 0; ) {
      const into = this.#packet ?? this.#length;
      const piece = rest.subarray(0, into.length - this.#filled);
      into.set(piece, this.#filled);
      this.#filled += piece.length;
      rest = rest.subarray(piece.length);
      if (this.#filled < into.length) {
        return;
      }
      this.#filled = 0;
      if (this.#packet) {
        const whole = this.#packet;
        this.#packet = undefined;
        yield whole;
      } else {
        this.#packet = new Uint8Array(lengthOf(this.#length));
      }
    }
  }
}

function lengthOf(bytes: Uint8Array): number {
  const length = new DataView(bytes.buffer).getUint32(0);
  if (length === 0 || length > PACKET_BYTES_MAX) {
    throw violation(`a packet of ${length} bytes`);
  }
  return length;
}
