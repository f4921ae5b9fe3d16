/** A user's own passkeys. */

import { get, post, remove } from './console.ts';

export interface Passkey {
  readonly id: string;
  readonly name: string;
  /** As an MFA device of IAM's. */
  readonly serialNumber: string;
  /** RFC 3339, as all times here. */
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly isBackedUp: boolean;
  /** Not if it was made for another host. */
  readonly isUsable: boolean;
}

export interface Passkeys {
  readonly passkeys: readonly Passkey[];
  /** How many MFA devices a user may have, passkeys among them. */
  readonly max: number;
  /** Why this page cannot use any. */
  readonly unavailable: 'address' | 'other-origin' | null;
}

export function passkeys(signal?: AbortSignal): Promise<Passkeys> {
  return get('/passkeys', signal);
}

/** What the browser is to make. Needs the password once more. */
export function beginPasskey(password: string): Promise<PublicKeyCredentialCreationOptionsJSON> {
  return post('/passkeys/registration', { password });
}

/** `credential` is what the browser made, in JSON. */
export function createPasskey(name: string, credential: object): Promise<Passkey> {
  return post('/passkeys', { name, credential });
}

export async function renamePasskey(id: string, name: string): Promise<void> {
  await post(`/passkeys/${encodeURIComponent(id)}`, { name });
}

export async function removePasskey(id: string): Promise<void> {
  await remove(`/passkeys/${encodeURIComponent(id)}`);
}
