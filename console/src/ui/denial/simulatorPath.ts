/** Where a decision is explained. */

/** A question to the simulator. */
export interface Question {
  readonly principal?: string | undefined;
  readonly action?: string | undefined;
  readonly resource?: string | undefined;
}

export function simulatorPath(question: Question): string {
  const given = Object.entries(question).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `/access/simulator?${new URLSearchParams(given)}`;
}
