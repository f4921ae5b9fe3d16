/** A session as it happens: the websocket that shows a recording from its beginning and then what is added to it. */

import { CastReader, sizeOf } from '../replay/cast.ts';
import type { Size } from '../channel/payload.ts';

export type State =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'ended'; readonly reason: string }
  | { readonly kind: 'lost' }
  /** More output waits than this page may hold. */
  | { readonly kind: 'too-slow' };

export interface Screen {
  readonly resize: (size: Size) => void;
  readonly write: (output: string, written: () => void) => void;
}

/** Characters that may wait to be drawn. A websocket cannot be left unread, so this is what the page holds at most. */
const WAITING_MAX = 64 * 1024 * 1024;
/** What any piece that waits costs besides its characters, in characters. */
const PIECE_COST = 64;
/** Drawn at once; small enough that the page stays usable. */
const BATCH = 128 * 1024;

export class Follower {
  readonly #socket: WebSocket;
  readonly #screen: Screen;
  readonly #changed: (state: State) => void;
  readonly #reader = new CastReader();
  #state: State = { kind: 'connecting' };
  #waiting: (string | Size)[] = [];
  #waitingLength = 0;
  #isWriting = false;
  #rest = '';

  constructor(socket: WebSocket, screen: Screen, changed: (state: State) => void) {
    this.#socket = socket;
    this.#screen = screen;
    this.#changed = changed;
    socket.addEventListener('message', (event: MessageEvent) => {
      if (typeof event.data === 'string') {
        this.#handleText(event.data);
      }
    });
    socket.addEventListener('close', () => this.#end({ kind: 'lost' }));
  }

  close(): void {
    this.#state = { kind: 'lost' };
    this.#waiting = [];
    this.#socket.close();
  }

  /** One event or several lines; a line may be cut between two messages only if the last one did not end. */
  #handleText(text: string): void {
    const ended = endOf(text);
    if (ended !== undefined) {
      this.#end({ kind: 'ended', reason: ended });
      return;
    }
    const lines = (this.#rest + text).split('\n');
    const last = lines.pop() ?? '';
    this.#rest = '';
    lines.forEach((line) => this.#handleLine(line));
    // A message of one line may come without its line end.
    if (last !== '' && isWhole(last)) {
      this.#handleLine(last);
    } else {
      this.#rest = last;
    }
    if (this.#state.kind === 'connecting') {
      this.#tell({ kind: 'live' });
    }
    this.#draw();
  }

  #handleLine(line: string): void {
    const isHeader = !this.#reader.size;
    const event = this.#reader.read(line);
    if (isHeader && this.#reader.size) {
      this.#resize(this.#reader.size);
    }
    const size = event?.code === 'r' ? sizeOf(event.data) : undefined;
    if (size) {
      this.#resize(size);
    } else if (event?.code === 'o') {
      this.#add(event.data);
    }
  }

  #add(output: string): void {
    const last = this.#waiting.at(-1);
    if (typeof last === 'string' && last.length < BATCH) {
      this.#waitingLength += output.length;
      this.#waiting[this.#waiting.length - 1] = last + output;
      this.#giveUpIfTooLong();
    } else {
      this.#wait(output);
    }
  }

  /** Of several sizes in a row only the last one counts. */
  #resize(size: Size): void {
    if (typeof this.#waiting.at(-1) === 'object') {
      this.#waiting[this.#waiting.length - 1] = size;
    } else {
      this.#wait(size);
    }
  }

  #wait(piece: string | Size): void {
    this.#waitingLength += costOf(piece);
    this.#waiting.push(piece);
    this.#giveUpIfTooLong();
  }

  #giveUpIfTooLong(): void {
    if (this.#waitingLength > WAITING_MAX) {
      this.#waiting = [];
      this.#end({ kind: 'too-slow' });
    }
  }

  #draw(): void {
    while (!this.#isWriting && this.#waiting.length > 0) {
      const next = this.#waiting.shift();
      this.#waitingLength -= next === undefined ? 0 : costOf(next);
      if (typeof next === 'string') {
        this.#isWriting = true;
        this.#screen.write(next, () => {
          this.#isWriting = false;
          this.#draw();
        });
      } else if (next) {
        this.#screen.resize(next);
      }
    }
  }

  #end(state: State): void {
    if (this.#state.kind === 'connecting' || this.#state.kind === 'live') {
      this.#tell(state);
      this.#socket.close();
    }
  }

  #tell(state: State): void {
    this.#state = state;
    this.#changed(state);
  }
}

function costOf(piece: string | Size): number {
  return PIECE_COST + (typeof piece === 'string' ? piece.length : 0);
}

/** What is said of the reason in `{"ended": {"reason": …}}`, the last message. A line of a recording is a list or the header. */
function endOf(text: string): string | undefined {
  if (!text.startsWith('{"ended"')) {
    return undefined;
  }
  try {
    const { ended } = JSON.parse(text) as { ended?: { reason?: unknown; details?: unknown } };
    const said = [ended?.details, ended?.reason].find((text) => typeof text === 'string' && text !== '');
    return typeof said === 'string' ? said : '';
  } catch {
    return undefined;
  }
}

function isWhole(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
