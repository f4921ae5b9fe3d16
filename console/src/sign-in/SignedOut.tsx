/** The pages for who is not signed in. */

import type { ReactNode } from 'react';

import Box from '@cloudscape-design/components/box';

import { useLocation } from '../router/location.ts';
import { frameTexts } from '../texts/frame.ts';
import { signInTexts } from '../texts/sign-in.ts';
import { SetupPage } from './SetupPage.tsx';
import './sign-in.css';
import { SignInPage } from './SignInPage.tsx';

export default function SignedOut() {
  const { path } = useLocation();
  return <Sheet>{path === '/setup' ? <SetupPage /> : <SignInPage />}</Sheet>;
}

function Sheet({ children }: { readonly children: ReactNode }) {
  return (
    <div className="sign-in">
      <header>
        <img src="/console/postern.svg" alt="" width={40} height={40} />
        <Box variant="h2" tagOverride="p" padding="n">
          {frameTexts.product}
        </Box>
        <Box color="text-body-secondary">{signInTexts.subtitle}</Box>
      </header>
      <main>{children}</main>
    </div>
  );
}
