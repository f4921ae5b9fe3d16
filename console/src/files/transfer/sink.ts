/** Where a download goes on this computer. */

import { downloadName } from '../download-name.ts';
import { otherNames } from '../paths.ts';
import { TransferError } from './failure.ts';

/** Takes bytes in order. Nothing of them is to be seen before `finish`. */
export interface Sink {
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly finish: () => Promise<void>;
  readonly abort: () => Promise<void>;
  /** More than this it does not take. */
  readonly bytesMax?: number;
}

/** Makes the sink of a file, when its turn has come. */
export type MakeSink = () => Promise<Sink>;

/** The File System Access API, as far as it is used here. TypeScript does not know what not every browser has. */
interface Pickers {
  readonly showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
  readonly showDirectoryPicker?: (options: { mode: 'readwrite' }) => Promise<FileSystemDirectoryHandle>;
}

/** What is held of a file without that API, until all of it is there. */
export const HELD_BYTES_MAX = 512 * 1024 * 1024;

/**
 * Asks where these files shall go, in the browser's own dialog: right after a click, or the browser does not ask. In the order of the
 * names; nothing if the user thinks better of it.
 */
export async function chooseSinks(names: readonly string[]): Promise<readonly MakeSink[] | undefined> {
  const { showSaveFilePicker, showDirectoryPicker } = window as Pickers;
  const [only = ''] = names;
  try {
    if (names.length === 1 && showSaveFilePicker) {
      const handle = await showSaveFilePicker({ suggestedName: downloadName(only) });
      return [() => fileSink(handle)];
    }
    if (names.length > 1 && showDirectoryPicker) {
      const directory = await showDirectoryPicker({ mode: 'readwrite' });
      return names.map((name) => async () => {
        const file = await newFile(directory, downloadName(name));
        const sink = await fileSink(file);
        return { ...sink, abort: () => sink.abort().then(() => directory.removeEntry(file.name)) };
      });
    }
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') {
      return undefined;
    }
    throw new TransferError('local-write');
  }
  return names.map((name) => () => Promise.resolve(new HeldSink(downloadName(name))));
}

/** Names that are being taken in directories that were picked, so that two downloads never choose the same. */
let taking: Promise<unknown> = Promise.resolve();

function newFile(directory: FileSystemDirectoryHandle, name: string): Promise<FileSystemFileHandle> {
  const taken = taking.then(() => firstFree(directory, name));
  taking = taken.catch(() => {});
  return taken;
}

async function firstFree(directory: FileSystemDirectoryHandle, name: string): Promise<FileSystemFileHandle> {
  for (const candidate of [name, ...otherNames(name)]) {
    try {
      await directory.getFileHandle(candidate);
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotFoundError') {
        return directory.getFileHandle(candidate, { create: true });
      }
      if (!(error instanceof DOMException && error.name === 'TypeMismatchError')) {
        throw new TransferError('local-write');
      }
    }
  }
  throw new TransferError('exists');
}

/** Streams to the disk. The browser writes beside the file and moves it there when it is closed. */
async function fileSink(handle: FileSystemFileHandle): Promise<Sink> {
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch {
      throw new TransferError('local-write');
    }
  };
  const stream = await guarded(handle.createWritable());
  return {
    write: (bytes) => guarded(stream.write(bytes as Uint8Array<ArrayBuffer>)),
    finish: () => guarded(stream.close()),
    abort: () => guarded(stream.abort()),
  };
}

/** Holds all of it, and gives it to the browser at the end. */
class HeldSink implements Sink {
  readonly bytesMax = HELD_BYTES_MAX;
  readonly #name: string;
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;

  constructor(name: string) {
    this.#name = name;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.length;
    if (this.#bytes > HELD_BYTES_MAX) {
      return Promise.reject(new TransferError('too-large'));
    }
    this.#pieces.push(bytes.slice());
    return Promise.resolve();
  }

  finish(): Promise<void> {
    const url = URL.createObjectURL(new Blob(this.#pieces, { type: 'application/octet-stream' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = this.#name;
    link.click();
    // The browser reads it by and by; after that nothing shall hold it.
    window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
    this.#pieces = [];
    return Promise.resolve();
  }

  abort(): Promise<void> {
    this.#pieces = [];
    return Promise.resolve();
  }
}
