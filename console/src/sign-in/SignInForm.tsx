/** A form of the sign-in: what is typed, one button, and what went wrong. */

import { useState, type ReactNode } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { ApiError } from '../api/errors.ts';
import { signInTexts } from '../texts/sign-in.ts';
import { problemOf } from '../ui/problem.ts';

interface Props {
  readonly title: string;
  readonly description?: string;
  readonly submit: string;
  /** Does the step; what it throws is shown. */
  readonly onSubmit: () => Promise<void>;
  readonly children: ReactNode;
  /** Below the button: other ways. */
  readonly footer?: ReactNode;
}

export function SignInForm({ title, description, submit, onSubmit, children, footer }: Props) {
  const { error, isBusy, run } = useStep();
  return (
    <Container header={<Header variant="h1" description={description}>{title}</Header>} footer={footer}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run(onSubmit);
        }}
      >
        <SpaceBetween size="l">
          {children}
          {error !== undefined && <Alert type="error">{inWords(error)}</Alert>}
          <Button variant="primary" formAction="submit" loading={isBusy} fullWidth>
            {submit}
          </Button>
        </SpaceBetween>
      </form>
    </Container>
  );
}

/** One step at a time, and the error of the last one. */
export function useStep() {
  const [error, setError] = useState<unknown>();
  const [isBusy, setIsBusy] = useState(false);
  async function run(step: () => Promise<void>): Promise<void> {
    if (isBusy) {
      return;
    }
    setIsBusy(true);
    setError(undefined);
    try {
      await step();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setIsBusy(false);
    }
  }
  return { error, isBusy, run };
}

/** What went wrong with a step of a sign-in. */
export function inWords(error: unknown): ReactNode {
  const retryAfter = error instanceof ApiError && error.details['retryAfterSeconds'];
  if (typeof retryAfter === 'number') {
    return signInTexts.tooMany(retryAfter);
  }
  const { message } = problemOf(error);
  return <Box color="inherit">{message}</Box>;
}
