/** What is known of a file. Source: draft-ietf-secsh-filexfer-02, section 5. */

import { violation } from './failure.ts';
import type { Reader, Writer } from './wire.ts';

/** Each is there only if the server says it. */
export interface Attributes {
  readonly size?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Type and permissions, as `st_mode`. */
  readonly mode?: number;
  /** Seconds since the epoch. */
  readonly modifiedAt?: number;
}

/** What can be set. */
export type Changes = Pick<Attributes, 'size' | 'mode'>;

const Flag = { Size: 1, UidGid: 2, Permissions: 4, AccessModifyTime: 8, Extended: 0x8000_0000 } as const;
/** Pairs that nobody is known to send. */
const EXTENDED_MAX = 16;
/** Of `mode`: which bits say the type, and what they say. Source: POSIX, `<sys/stat.h>`, with everybody's values. */
const TYPE_MASK = 0o170_000;
const TYPES: Readonly<Record<number, FileType | undefined>> = { 0o040_000: 'directory', 0o100_000: 'file', 0o120_000: 'link' };

export type FileType = 'directory' | 'file' | 'link' | 'other';

/** What kind of file it is; a server that does not say means an ordinary one. */
export function typeOf({ mode }: Attributes): FileType {
  const type = (mode ?? 0) & TYPE_MASK;
  return type === 0 ? 'file' : (TYPES[type] ?? 'other');
}

export function readAttributes(reader: Reader): Attributes {
  const flags = reader.uint32('flags of attributes');
  const has = (flag: number) => (flags & flag) !== 0;
  const size = has(Flag.Size) ? { size: reader.uint64('size') } : {};
  const owner = has(Flag.UidGid) ? { uid: reader.uint32('uid'), gid: reader.uint32('gid') } : {};
  const mode = has(Flag.Permissions) ? { mode: reader.uint32('permissions') } : {};
  const times = has(Flag.AccessModifyTime) ? [reader.uint32('atime'), reader.uint32('mtime')] : [];
  if (has(Flag.Extended)) {
    skipExtended(reader);
  }
  return { ...size, ...owner, ...mode, ...(times[1] !== undefined && { modifiedAt: times[1] }) };
}

export function writeAttributes(writer: Writer, { size, mode }: Changes): Writer {
  writer.uint32((size === undefined ? 0 : Flag.Size) | (mode === undefined ? 0 : Flag.Permissions));
  if (size !== undefined) {
    writer.uint64(size);
  }
  return mode === undefined ? writer : writer.uint32(mode);
}

function skipExtended(reader: Reader): void {
  const count = reader.uint32('extended_count');
  if (count > EXTENDED_MAX) {
    throw violation(`${count} extended attributes`);
  }
  for (let index = 0; index < count; index += 1) {
    reader.string('extended_type');
    reader.string('extended_data');
  }
}
