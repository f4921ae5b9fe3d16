/** Whether somebody is signed in, and who. */

import { useSyncExternalStore } from 'react';

import * as api from '../api/console.ts';
import { ApiError } from '../api/errors.ts';
import { setCsrf, setOnSignedOut } from '../api/http.ts';
import { href } from '../router/location.ts';
import { hearOtherPages, tellOtherPages } from './other-pages.ts';

/** What the page knows of the sign-in. */
export type SignInState =
  | { readonly kind: 'asking' }
  | { readonly kind: 'signed-in'; readonly signIn: api.SignIn }
  | { readonly kind: 'signed-out' }
  | { readonly kind: 'failed'; readonly error: unknown };

const listeners = new Set<() => void>();
const forgetters = new Set<() => void>();
let state: SignInState = { kind: 'asking' };

/** Asks the server who is signed in. */
export async function askSignIn(): Promise<void> {
  setOnSignedOut(expire);
  try {
    const signIn = await sessionInForce();
    change({ kind: 'signed-in', signIn });
    tellOtherPages(nameOf(signIn));
  } catch (error) {
    const isRefused = error instanceof ApiError && error.status < 500;
    change(isRefused ? { kind: 'signed-out' } : { kind: 'failed', error });
  }
}

/** A role that is over is left, so that the page shows as whom it acts from then on. */
async function sessionInForce(): Promise<api.SignIn> {
  const signIn = await api.session();
  if (!signIn.roleExpired) {
    return signIn;
  }
  await api.switchBack();
  return api.session();
}

/** Ends the sign-in on the server, and here with all that the page holds: it is loaded anew, and leads nowhere back. */
export async function signOut(): Promise<void> {
  await api.signOut();
  setOnSignedOut(() => {});
  tellOtherPages(null);
  window.location.assign(href('/sign-in'));
}

/** Calls back when the sign-in is over and the page stays: what it holds of one user is not for the next. */
export function whenSignedOut(forget: () => void): void {
  forgetters.add(forget);
}

/** Loads the page anew when it is somebody else's. */
export function startOver(): void {
  hearOtherPages((who) => {
    const known = state.kind === 'signed-in' ? nameOf(state.signIn) : null;
    if (who === null && known !== null) {
      window.location.assign(href('/sign-in'));
    } else if (who !== known && state.kind !== 'asking') {
      window.location.reload();
    }
  });
  // A page that the browser has kept to go back to heard nothing in the meantime.
  window.addEventListener('pageshow', ({ persisted }) => persisted && window.location.reload());
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

function expire(): void {
  if (state.kind === 'signed-in' && state.signIn.role) {
    // Perhaps only the role is over.
    window.location.reload();
    return;
  }
  setCsrf('');
  forgetters.forEach((forget) => forget());
  change({ kind: 'signed-out' });
}

function nameOf({ principalArn, signedInAt }: api.SignIn): string {
  return `${principalArn} ${signedInAt}`;
}

function change(to: SignInState): void {
  state = to;
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
