/** The text of a session document: what is wrong with it, and examples to begin with. */

import { offsetOf, positionOf } from '../../ui/code/position.ts';
import type { Diagnostic } from '../../ui/code/diagnostic.ts';
import { parseJson } from '../access/policy/json.ts';

export type Format = 'JSON' | 'YAML';

/** What can be said here, and what the server has said. */
export function diagnose(text: string, format: Format, refusal: string | undefined): readonly Diagnostic[] {
  if (text.trim() === '') {
    return [];
  }
  const parsed = format === 'JSON' ? parseJson(text) : undefined;
  if (parsed && !parsed.ok) {
    const { message, offset } = parsed.fault;
    return [{ severity: 'error', message, offset, ...positionOf(text, offset) }];
  }
  return refusal === undefined ? [] : [serverDiagnostic(text, refusal)];
}

/** What the server said, at the place it names: a line and column, or a field such as `inputs.kmsKeyId`. */
export function serverDiagnostic(text: string, message: string): Diagnostic {
  const placed = /line (\d+),? column (\d+)/.exec(message);
  if (placed) {
    const position = { line: Number(placed[1]), column: Number(placed[2]) };
    return { severity: 'error', message, ...position, offset: offsetOf(text, position) };
  }
  const offset = Math.max(0, text.indexOf(`${fieldIn(message) ?? ''}`));
  return { severity: 'error', message, offset, ...positionOf(text, offset) };
}

/** The last part of the field that the server's refusal is about. */
export function fieldIn(message: string): string | undefined {
  return pathIn(message)?.split('.').at(-1);
}

/** The whole field, such as `inputs.shellProfile.linux`. */
export function pathIn(message: string): string | undefined {
  return /(?:^|is not valid: )((?:inputs|properties|parameters)(?:\.\w+)*|\w+)(?::| is not a field)/.exec(message)?.[1];
}

export interface Example {
  readonly id: string;
  readonly content: string;
}

const PLATFORMS = ['linux', 'macos'];

/** One of each kind of session. */
export const EXAMPLES: readonly Example[] = [
  example('shell', {
    schemaVersion: '1.0',
    description: 'A shell that ends after 15 idle minutes.',
    sessionType: 'Standard_Stream',
    inputs: { idleSessionTimeout: '15', maxSessionDuration: '480', shellProfile: { linux: 'cd ~', windows: '' } },
  }),
  example('command', {
    schemaVersion: '1.0',
    description: 'Follows a log of the system.',
    sessionType: 'InteractiveCommands',
    parameters: {
      file: { type: 'String', description: 'A file in /var/log.', default: 'syslog', allowedPattern: '^[A-Za-z0-9.-]{1,64}$' },
    },
    properties: Object.fromEntries(
      PLATFORMS.map((platform) => [platform, { commands: 'tail -n 50 -f /var/log/{{ file }}', runAsElevated: true }]),
    ),
  }),
  example('port', {
    schemaVersion: '1.0',
    description: 'A database behind a node.',
    sessionType: 'Port',
    parameters: {
      localPortNumber: { type: 'String', description: 'The port on this machine; 0 is any.', default: '0', allowedPattern: '^[0-9]{1,5}$' },
    },
    properties: { portNumber: '5432', type: 'LocalPortForwarding', host: 'db.internal', localPortNumber: '{{ localPortNumber }}' },
  }),
];

function example(id: string, document: object): Example {
  return { id, content: `${JSON.stringify(document, null, 2)}\n` };
}
