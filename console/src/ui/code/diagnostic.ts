/** What is wrong with a text, or doubtful in it, and where. */

import type { Position } from './position.ts';

export interface Diagnostic extends Position {
  severity: 'error' | 'warning';
  message: string;
  /** Where the text is marked, in UTF-16 units. */
  offset: number;
}
