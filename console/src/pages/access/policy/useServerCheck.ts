/** Asks the server what it thinks of a policy while somebody writes it. */

import { useEffect, useState } from 'react';

import { call } from '../../../api/call.ts';
import { ApiError, isAbort } from '../../../api/errors.ts';
import * as iam from '../../../api/generated/iam.ts';
import { serverDiagnostic } from './diagnostics.ts';
import type { Diagnostic } from '../../../ui/code/diagnostic.ts';

/** How long nothing must be typed before the server is asked, in milliseconds: each question is on the audit trail. */
const PAUSE_MS = 800;
/** Decided without policies, so the answer tells only whether the document can be read. */
const ANY_ACTION = 'sts:GetCallerIdentity';

export type ServerCheck =
  | { readonly state: 'idle' | 'checking' | 'fine' | 'forbidden' | 'unreachable' }
  | { readonly state: 'wrong'; readonly diagnostic: Diagnostic };

/** `isAskable` is false while the text is known to be wrong, and for documents that only saving checks. */
export function useServerCheck(text: string, isAskable: boolean): ServerCheck {
  const [checked, setChecked] = useState<{ text: string; check: ServerCheck }>({ text: '', check: { state: 'idle' } });
  useEffect(() => {
    if (!isAskable) {
      return undefined;
    }
    const gone = new AbortController();
    const timer = window.setTimeout(() => {
      const settle = (check: ServerCheck) => !gone.signal.aborted && setChecked({ text, check });
      ask(text, gone.signal).then(settle, () => undefined);
    }, PAUSE_MS);
    return () => {
      window.clearTimeout(timer);
      gone.abort();
    };
  }, [text, isAskable]);
  if (!isAskable) {
    return { state: 'idle' };
  }
  return checked.text === text ? checked.check : { state: 'checking' };
}

async function ask(text: string, signal: AbortSignal): Promise<ServerCheck> {
  try {
    await call(iam.SimulateCustomPolicy, { PolicyInputList: [text], ActionNames: [ANY_ACTION] }, signal);
    return { state: 'fine' };
  } catch (error) {
    if (isAbort(error)) {
      throw error;
    }
    if (error instanceof ApiError && error.isDenial) {
      return { state: 'forbidden' };
    }
    if (error instanceof ApiError && error.status < 500) {
      return { state: 'wrong', diagnostic: serverDiagnostic(text, error.message) };
    }
    return { state: 'unreachable' };
  }
}
