/** Passkeys (WebAuthn). Options and credentials travel in its JSON form, which browsers read and write themselves. */

import { post, type NextStep } from '../api/console.ts';
import { signInTexts } from '../texts/sign-in.ts';

/** Whether this browser has passkeys, and their JSON form. */
export function arePasskeysHere(): boolean {
  return typeof window.PublicKeyCredential?.parseRequestOptionsFromJSON === 'function';
}

/** Asks for a passkey; also the second factor of a sign-in that waits for one. Throws what the browser or the server refuse. */
export async function signInWithPasskey(): Promise<NextStep> {
  const options = await post<PublicKeyCredentialRequestOptionsJSON>('/sign-in/passkey/options', {});
  const credential = await navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
  });
  if (!(credential instanceof PublicKeyCredential)) {
    throw new Error(signInTexts.passkeyUnsupported);
  }
  return post('/sign-in/passkey', credential.toJSON());
}
