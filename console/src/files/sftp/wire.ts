/**
 * The fields that packets are made of: big-endian integers, and strings with their length before them.
 * Source: draft-ietf-secsh-filexfer-02, sections 3 and 4.
 */

import { violation } from './failure.ts';

/** The longest string that is no content of a file: Linux's `PATH_MAX`, and room for words. */
const STRING_BYTES_MAX = 4096;

export class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  uint8(value: number): this {
    this.#room(1)[0] = value;
    return this;
  }

  uint32(value: number): this {
    new DataView(this.#room(4).buffer).setUint32(this.#length - 4, value);
    return this;
  }

  uint64(value: number): this {
    new DataView(this.#room(8).buffer).setBigUint64(this.#length - 8, BigInt(value));
    return this;
  }

  string(bytes: Uint8Array): this {
    this.uint32(bytes.length).#room(bytes.length).set(bytes);
    return this;
  }

  /** The packet: what was written, with its length before it. */
  packet(): Uint8Array<ArrayBuffer> {
    const packet = new Uint8Array(4 + this.#length);
    new DataView(packet.buffer).setUint32(0, this.#length);
    packet.set(this.#bytes.subarray(0, this.#length), 4);
    return packet;
  }

  /** The next bytes to write to. */
  #room(length: number): Uint8Array<ArrayBuffer> {
    const end = this.#length + length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const room = this.#bytes.subarray(this.#length, end);
    this.#length = end;
    return room;
  }
}

/** Reads a packet's fields in turn. What is missing throws, with the field's name. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  uint8(field: string): number {
    return this.#view.getUint8(this.#take(1, field));
  }

  uint32(field: string): number {
    return this.#view.getUint32(this.#take(4, field));
  }

  /** Numbers above 2^53 lose their last digits: no file that can be moved is that large. */
  uint64(field: string): number {
    return Number(this.#view.getBigUint64(this.#take(8, field)));
  }

  /** A view of the packet: nothing is copied. */
  string(field: string, bytesMax = STRING_BYTES_MAX): Uint8Array {
    const length = this.uint32(field);
    if (length > bytesMax) {
      throw violation(`${field} has ${length} bytes, more than ${bytesMax}`);
    }
    const start = this.#take(length, field);
    return this.#bytes.subarray(start, start + length);
  }

  /** Everything that is left. */
  rest(): Uint8Array {
    const start = this.#at;
    this.#at = this.#bytes.length;
    return this.#bytes.subarray(start);
  }

  /** Nothing may follow. */
  end(): void {
    if (!this.isAtEnd) {
      throw violation('a packet is longer than what it says');
    }
  }

  #take(length: number, field: string): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) {
      throw violation(`a packet ends before the end of ${field}`);
    }
    this.#at += length;
    return start;
  }
}
