/**
 * JSON with the place of every value, read as strictly as the server reads policies (crates/iam/src/json.rs): no repeated
 * names, no deep nesting, nothing after the end. `JSON.parse` keeps no places, and takes the last of repeated names.
 */

/** How deep a policy nests at most: the server's bound. */
const DEPTH_MAX = 16;

/** A value and where it stands, in UTF-16 units from the start of the text. */
export type Node = { start: number; end: number } & (
  | { kind: 'null' }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'number'; digits: string }
  | { kind: 'string'; text: string }
  | { kind: 'array'; items: Node[] }
  | { kind: 'object'; members: Member[] }
);

export interface Member {
  name: string;
  nameStart: number;
  nameEnd: number;
  node: Node;
}

/** The first thing that is no JSON, and where. */
export interface Fault {
  message: string;
  offset: number;
}

export type Parsed = { ok: true; root: Node } | { ok: false; fault: Fault };

export function parseJson(text: string): Parsed {
  try {
    return { ok: true, root: new Reader(text).document() };
  } catch (error) {
    if (error instanceof FaultError) {
      return { ok: false, fault: error.fault };
    }
    throw error;
  }
}

/** The member of an object; nothing if the node is no object or has none of that name. */
export function member(node: Node, name: string): Node | undefined {
  if (node.kind !== 'object') {
    return undefined;
  }
  return node.members.find((candidate) => candidate.name === name)?.node;
}

class FaultError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}

class Reader {
  private readonly text: string;
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): Node {
    const root = this.value();
    this.skipSpace();
    if (this.at < this.text.length) {
      this.expected('the end of the document');
    }
    return root;
  }

  private value(): Node {
    this.skipSpace();
    const start = this.at;
    const first = this.text[this.at];
    if (first === '{') {
      return this.nested(() => this.object(start));
    }
    if (first === '[') {
      return this.nested(() => this.array(start));
    }
    if (first === '"') {
      return { kind: 'string', text: this.string(), start, end: this.at };
    }
    if (first !== undefined && /[-0-9]/.test(first)) {
      return { kind: 'number', digits: this.number(), start, end: this.at };
    }
    if (this.word('true')) {
      return { kind: 'boolean', value: true, start, end: this.at };
    }
    if (this.word('false')) {
      return { kind: 'boolean', value: false, start, end: this.at };
    }
    if (this.word('null')) {
      return { kind: 'null', start, end: this.at };
    }
    return this.expected('a JSON value');
  }

  private nested(read: () => Node): Node {
    if (this.depth >= DEPTH_MAX) {
      throw new FaultError({ message: `more than ${DEPTH_MAX} levels of nesting`, offset: this.at });
    }
    this.depth += 1;
    this.at += 1;
    const node = read();
    this.depth -= 1;
    return node;
  }

  private object(start: number): Node {
    const members: Member[] = [];
    this.skipSpace();
    if (this.take('}')) {
      return { kind: 'object', members, start, end: this.at };
    }
    for (;;) {
      this.skipSpace();
      const nameStart = this.at;
      if (this.text[this.at] !== '"') {
        this.expected('a name in quotes');
      }
      const name = this.string();
      const nameEnd = this.at;
      if (members.some((other) => other.name === name)) {
        throw new FaultError({ message: `the name ${JSON.stringify(name)} occurs twice`, offset: nameStart });
      }
      this.skipSpace();
      if (!this.take(':')) {
        this.expected('`:`');
      }
      members.push({ name, nameStart, nameEnd, node: this.value() });
      this.skipSpace();
      if (this.take('}')) {
        return { kind: 'object', members, start, end: this.at };
      }
      if (!this.take(',')) {
        this.expected('`,` or `}`');
      }
    }
  }

  private array(start: number): Node {
    const items: Node[] = [];
    this.skipSpace();
    if (this.take(']')) {
      return { kind: 'array', items, start, end: this.at };
    }
    for (;;) {
      items.push(this.value());
      this.skipSpace();
      if (this.take(']')) {
        return { kind: 'array', items, start, end: this.at };
      }
      if (!this.take(',')) {
        this.expected('`,` or `]`');
      }
    }
  }

  private string(): string {
    this.at += 1;
    let value = '';
    for (;;) {
      const character = this.text[this.at];
      if (character === undefined) {
        return this.expected('the closing quote of a string');
      }
      if (character === '"') {
        this.at += 1;
        return value;
      }
      if (character < ' ') {
        return this.expected('no control character in a string');
      }
      if (character === '\\') {
        value += this.escape();
      } else {
        value += character;
        this.at += 1;
      }
    }
  }

  private escape(): string {
    const simple = ESCAPES[this.text[this.at + 1] ?? ''];
    if (simple !== undefined) {
      this.at += 2;
      return simple;
    }
    const digits = /^\\u([0-9a-fA-F]{4})/.exec(this.text.slice(this.at, this.at + 6))?.[1];
    if (digits === undefined) {
      return this.expected('an escape sequence of JSON');
    }
    this.at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  private number(): string {
    const found = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?(?![0-9.eE])/.exec(this.text.slice(this.at));
    if (!found) {
      return this.expected('a number as JSON writes it');
    }
    this.at += found[0].length;
    return found[0];
  }

  private word(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) {
      return false;
    }
    this.at += word.length;
    return true;
  }

  private take(character: string): boolean {
    if (this.text[this.at] !== character) {
      return false;
    }
    this.at += 1;
    return true;
  }

  private skipSpace(): void {
    while (this.at < this.text.length && ' \t\n\r'.includes(this.text.charAt(this.at))) {
      this.at += 1;
    }
  }

  private expected(expected: string): never {
    const character = this.text.codePointAt(this.at);
    const found = character === undefined ? 'the end of the document' : JSON.stringify(String.fromCodePoint(character));
    throw new FaultError({ message: `expected ${expected}, found ${found}`, offset: this.at });
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t',
};
