/** The console: the pages for who is signed in, or the way to sign in. */

import { lazy, Suspense, useEffect } from 'react';

import I18nProvider from '@cloudscape-design/components/i18n';
import messages from '@cloudscape-design/components/i18n/messages/all.en';

import { here, navigate, useLocation } from '../router/location.ts';
import { useSignInState } from '../sign-in/state.ts';
import { takeWayBack, wayBack } from '../sign-in/way-back.ts';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { Loading } from './Loading.tsx';
import { Unreachable } from './Unreachable.tsx';

const SignedIn = lazy(() => import('./SignedIn.tsx'));
const SignedOut = lazy(() => import('../sign-in/SignedOut.tsx'));

/** Pages for who is not signed in, besides the sign-in itself. */
const OPEN_PATHS = new Set(['/sign-in', '/setup']);

export function App() {
  return (
    <I18nProvider locale="en" messages={[messages]}>
      <ErrorBoundary>
        <Suspense fallback={<Loading />}>
          <Gate />
        </Suspense>
      </ErrorBoundary>
    </I18nProvider>
  );
}

function Gate() {
  const state = useSignInState();
  const { path, query } = useLocation();
  const isOpen = OPEN_PATHS.has(path);
  useEffect(() => {
    if (state.kind === 'signed-out' && !isOpen) {
      navigate(`/sign-in?${new URLSearchParams({ to: here() })}`, 'replace');
    }
    if (state.kind === 'signed-in' && path === '/') {
      const to = takeWayBack();
      if (to !== '/') {
        navigate(to, 'replace');
      }
    }
    if (state.kind === 'signed-in' && path === '/sign-in') {
      navigate(wayBack(query.get('to')), 'replace');
    }
  }, [state, isOpen, path, query]);

  if (isOpen && state.kind !== 'asking' && !(state.kind === 'signed-in' && path === '/sign-in')) {
    return <SignedOut />;
  }
  switch (state.kind) {
    case 'signed-in':
      return isOpen ? <Loading /> : <SignedIn />;
    case 'failed':
      return <Unreachable error={state.error} />;
    case 'asking':
    case 'signed-out':
      return <Loading />;
  }
}
