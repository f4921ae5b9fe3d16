/** Whether somebody is signed in, and who. */

import { useSyncExternalStore } from 'react';

import * as api from '../api/console.ts';
import { ApiError } from '../api/errors.ts';
import { setOnSignedOut } from '../api/http.ts';

/** What the page knows of the sign-in. */
export type SignInState =
  | { readonly kind: 'asking' }
  | { readonly kind: 'signed-in'; readonly signIn: api.SignIn }
  | { readonly kind: 'signed-out' }
  | { readonly kind: 'failed'; readonly error: unknown };

const listeners = new Set<() => void>();
let state: SignInState = { kind: 'asking' };

/** Asks the server who is signed in. */
export async function askSignIn(): Promise<void> {
  setOnSignedOut(() => change({ kind: 'signed-out' }));
  try {
    change({ kind: 'signed-in', signIn: await api.session() });
  } catch (error) {
    const isRefused = error instanceof ApiError && error.status < 500;
    change(isRefused ? { kind: 'signed-out' } : { kind: 'failed', error });
  }
}

/** Ends the sign-in, here and on the server. */
export async function signOut(): Promise<void> {
  await api.signOut();
  change({ kind: 'signed-out' });
}

export function useSignInState(): SignInState {
  return useSyncExternalStore(subscribe, () => state);
}

/** Who is signed in. Only for what is inside the frame, which is drawn for nobody else. */
export function useSignIn(): api.SignIn {
  const now = useSignInState();
  if (now.kind !== 'signed-in') {
    throw new Error('nobody is signed in');
  }
  return now.signIn;
}

function change(to: SignInState): void {
  state = to;
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
