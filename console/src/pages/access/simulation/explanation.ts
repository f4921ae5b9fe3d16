/**
 * A decision as the server explains it in words (crates/iam/src/explain/text.rs), taken apart so that the page can point at what
 * the words name. Lines of another form are kept as they are.
 */

/** A statement of a policy, as the explanation names it. */
export interface StatementName {
  /** From 1. */
  number: number;
  sid?: string;
  policy: string;
}

/** A statement that would have led to another decision, and what of it failed. */
export interface CloseStatement {
  statement: StatementName;
  reasons: string[];
}

export interface Explanation {
  /** `ALLOWED: …` or `DENIED: …`, with the reason. */
  headline: string;
  /** The kind of policy that decided, such as `identity-based policy`. */
  layer?: string;
  /** The statement that decided; an implicit deny has none. */
  decidedBy?: StatementName;
  /** Of an explicit deny, the conditions of the statement that held. */
  conditions: string[];
  /** What else is said, a sentence a line. */
  notes: string[];
  close: CloseStatement[];
  /** How many more came close than are listed. */
  closeMore: number;
}

const STATEMENT = String.raw`statement (\d+)(?: \(([^()]*)\))? of (.+)`;
const DECIDED = new RegExp(`^(?:Allowed|Denied) by ${STATEMENT}, an? (.+)\\.$`);
const CLOSE = new RegExp(`^- ${STATEMENT}, if not for:$`);
const LAYER = /(?:, because no (.+) allows the \S+ action|, with an explicit deny in an? (.+))\.$/;

export function parseExplanation(text: string): Explanation {
  const [headline = '', ...lines] = text.trimEnd().split('\n');
  const explanation: Explanation = { headline, conditions: [], notes: [], close: [], closeMore: 0 };
  const layer = LAYER.exec(headline);
  const name = layer?.[1] ?? layer?.[2];
  if (name !== undefined) {
    explanation.layer = name;
  }
  lines.forEach((line) => readLine(explanation, line));
  return explanation;
}

function readLine(explanation: Explanation, line: string): void {
  const decided = DECIDED.exec(line);
  const close = CLOSE.exec(line);
  const more = /^- and (\d+) more$/.exec(line);
  if (decided) {
    explanation.decidedBy = statement(decided);
    explanation.layer = decided[4] ?? '';
  } else if (close) {
    explanation.close.push({ statement: statement(close), reasons: [] });
  } else if (more) {
    explanation.closeMore = Number(more[1]);
  } else if (/^ {4}\S/.test(line) && explanation.close.length > 0) {
    explanation.close.at(-1)?.reasons.push(line.trim());
  } else if (/^ {2}\S/.test(line)) {
    explanation.conditions.push(line.trim());
  } else if (line !== '' && line !== 'Would allow:' && line !== 'Would deny:') {
    explanation.notes.push(line);
  }
}

function statement([, number, sid, policy = '']: RegExpExecArray): StatementName {
  return { number: Number(number), ...(sid === undefined ? {} : { sid }), policy };
}
