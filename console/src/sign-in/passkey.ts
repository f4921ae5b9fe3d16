/** Passkeys (WebAuthn). Options and credentials travel in its JSON form, which browsers read and write themselves. */

import { post, type NextStep } from '../api/console.ts';
import { signInTexts } from '../texts/sign-in.ts';

/** What a passkey is asked for: it suffices alone, or follows the password. */
export type Purpose = 'alone' | 'second-factor';

/** Whether this browser has passkeys, and their JSON form. */
export function arePasskeysHere(): boolean {
  return typeof window.PublicKeyCredential?.parseRequestOptionsFromJSON === 'function';
}

/** Asks for a passkey. Throws what the browser or the server refuse. */
export async function signInWithPasskey(purpose: Purpose): Promise<NextStep> {
  const asked = { secondFactor: purpose === 'second-factor' };
  const options = await post<PublicKeyCredentialRequestOptionsJSON>('/sign-in/passkey/options', asked);
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return post('/sign-in/passkey', credentialOf(await answered(navigator.credentials.get({ publicKey }))));
}

/** What the browser's answer is in JSON. */
export function credentialOf(credential: Credential | null): object {
  if (!(credential instanceof PublicKeyCredential)) {
    throw new Error(signInTexts.passkeyUnsupported);
  }
  return credential.toJSON() as object;
}

/** The browser's answer; what it refuses is said in our words, for its own are for programmers. */
export async function answered<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    throw new Error(signInTexts.passkeyRefused[name === 'InvalidStateError' ? 'known' : 'other'], { cause: error });
  }
}
