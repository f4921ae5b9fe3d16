/** An activation, and what a machine needs to use it. */

import { all, call } from '../../../api/call.ts';
import type { SignIn } from '../../../api/console.ts';
import * as iam from '../../../api/generated/iam.ts';
import * as ssm from '../../../api/generated/ssm.ts';
import { shellQuoted } from '../../../ui/CommandBlock.tsx';

/** The role that the first start makes for nodes (docs/access.md). */
export const DEFAULT_ROLE = 'PosternNode';
const DAY_S = 24 * 60 * 60;

/** What is asked for. */
export interface Wanted {
  readonly role: string;
  readonly name: string;
  readonly limit: number;
  readonly days: number;
  readonly tags: readonly ssm.Tag[];
}

/** What was made. The code is shown once. */
export interface Activation {
  readonly id: string;
  readonly code: string;
  readonly limit: number;
}

export async function createActivation(wanted: Wanted): Promise<Activation> {
  const { ActivationId = '', ActivationCode = '' } = await call(ssm.CreateActivation, {
    IamRole: wanted.role,
    DefaultInstanceName: wanted.name === '' ? undefined : wanted.name,
    RegistrationLimit: wanted.limit,
    ExpirationDate: Math.floor(Date.now() / 1000) + wanted.days * DAY_S,
    Tags: wanted.tags.length > 0 ? wanted.tags : undefined,
  });
  return { id: ActivationId, code: ActivationCode, limit: wanted.limit };
}

/** The names of all roles. */
export async function readRoles(signal: AbortSignal): Promise<readonly string[]> {
  const roles = await all(iam.ListRoles, {}, (page) => page.Roles, signal);
  return roles.map(({ RoleName }) => RoleName);
}

/** The server, as a machine reaches it. */
export type Server = Pick<SignIn, 'publicUrl' | 'region' | 'caFingerprintSha256'>;

/** Registers postern-agent and starts it: one line for a root shell. */
export function posternAgentLine(server: Server, activation: Activation): string {
  const fingerprint = server.caFingerprintSha256 === '' ? [] : ['--ca-fingerprint', server.caFingerprintSha256];
  const register = [
    'postern-agent', 'register',
    '--endpoint', server.publicUrl,
    ...fingerprint,
    '--region', server.region,
    '--activation-id', activation.id,
    '--activation-code', activation.code,
  ];
  return `${register.map(shellQuoted).join(' ')} && systemctl enable --now postern-agent`;
}

/** Registers AWS's own agent, whose configuration names the server already. */
export function amazonAgentLine(server: Server, activation: Activation): string {
  const register = ['amazon-ssm-agent', '-register', '-code', activation.code, '-id', activation.id, '-region', server.region, '-y'];
  return `systemctl stop amazon-ssm-agent && ${register.map(shellQuoted).join(' ')} && systemctl start amazon-ssm-agent`;
}
