/** The first request found no server. */

import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';

import { askSignIn } from '../sign-in/state.ts';
import { problemTexts } from '../texts/problems.ts';
import { problemOf } from '../ui/problem.ts';

export function Unreachable({ error }: { readonly error: unknown }) {
  return (
    <main>
      <Alert
        type="error"
        header={problemTexts.unreachable}
        action={<Button onClick={() => void askSignIn()}>{problemTexts.retry}</Button>}
      >
        {problemOf(error).message}
      </Alert>
    </main>
  );
}
