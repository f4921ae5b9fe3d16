/** What the user is asked while files are uploaded, one question after the other. */

/** What is done with a file whose name is in use. */
export type Answer = 'replace' | 'both' | 'skip';

export interface Question {
  readonly path: string;
  /** A directory has the name: it cannot be replaced by a file. */
  readonly isDirectory: boolean;
  /** Whether the answer can be for more than this file. */
  readonly hasOthers: boolean;
  /** `forAll`: also for the others that are uploaded with it. */
  readonly answer: (answer: Answer, forAll: boolean) => void;
}

export class Questions {
  readonly #changed: () => void;
  #open: readonly Question[] = [];

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** The one to be answered now. */
  get first(): Question | undefined {
    return this.#open[0];
  }

  /** Asks, and waits for the answer or for `signal`. */
  ask(about: Omit<Question, 'answer'>, signal: AbortSignal): Promise<{ readonly answer: Answer; readonly forAll: boolean }> {
    return new Promise((resolve, reject) => {
      const close = () => {
        this.#open = this.#open.filter((other) => other !== question);
        this.#changed();
      };
      const question: Question = {
        ...about,
        answer: (answer, forAll) => {
          close();
          resolve({ answer, forAll });
        },
      };
      signal.addEventListener('abort', () => {
        close();
        reject(signal.reason as Error);
      });
      this.#open = [...this.#open, question];
      this.#changed();
    });
  }
}
