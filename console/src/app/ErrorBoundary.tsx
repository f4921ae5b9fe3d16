/** Keeps an error of one page from taking the console with it. */

import { Component, type ReactNode } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';

import { frameTexts } from '../texts/frame.ts';
import { visible } from '../ui/visible.ts';

interface Props {
  readonly children: ReactNode;
}

interface State {
  readonly error: unknown;
}

export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) {
      return this.props.children;
    }
    const texts = frameTexts.broken;
    return (
      <Alert
        type="error"
        header={texts.header}
        action={<Button onClick={() => window.location.reload()}>{texts.reload}</Button>}
      >
        {texts.body} {visible(error instanceof Error ? error.message : String(error))}
      </Alert>
    );
  }
}
