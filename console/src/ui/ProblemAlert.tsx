/** An error on a page, with a way to try again. */

import type { ReactNode } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';

import { problemTexts } from '../texts/problems.ts';
import { problemOf } from './problem.ts';

interface Props {
  readonly error: unknown;
  readonly retry?: (() => void) | undefined;
  /** What else is known of it, such as why it was denied. */
  readonly children?: ReactNode;
}

export function ProblemAlert({ error, retry, children }: Props) {
  const { header, message, code } = problemOf(error);
  return (
    <Alert type="error" header={header} action={retry && <Button formAction="none" onClick={retry}>{problemTexts.retry}</Button>}>
      {message}
      {code && (
        <Box variant="small" display="block" color="inherit">
          {problemTexts.code(code)}
        </Box>
      )}
      {children}
    </Alert>
  );
}
