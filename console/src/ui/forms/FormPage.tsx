/** The frame of a page that is one form. */

import type { ReactNode } from 'react';

import Button from '@cloudscape-design/components/button';
import Form from '@cloudscape-design/components/form';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { href } from '../../router/location.ts';

interface Props {
  readonly texts: {
    readonly title: string;
    readonly description: string;
    readonly submit: string;
    readonly cancel: string;
  };
  /** Where *Cancel* leads. */
  readonly cancelPath: string;
  readonly isBusy: boolean;
  /** Nothing can be sent as things are, and the page says why. */
  readonly isDisabled?: boolean;
  /** What went wrong when it was sent last. */
  readonly problem: ReactNode;
  /** Called while nothing is on its way. */
  readonly onSubmit: () => void;
  readonly children: ReactNode;
}

export function FormPage({ texts, cancelPath, isBusy, isDisabled = false, problem, onSubmit, children }: Props) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy && !isDisabled) {
          onSubmit();
        }
      }}
    >
      <Form
        header={<Header variant="h1" description={texts.description}>{texts.title}</Header>}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" formAction="none" href={href(cancelPath)}>
              {texts.cancel}
            </Button>
            <Button variant="primary" loading={isBusy} disabled={isDisabled}>
              {texts.submit}
            </Button>
          </SpaceBetween>
        }
      >
        <SpaceBetween size="l">
          {problem}
          {children}
        </SpaceBetween>
      </Form>
    </form>
  );
}
