/** A page that has nothing to show but why. */

import type { ReactNode } from 'react';

import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';

interface Props {
  /** What the page would have been about. */
  readonly title: string;
  readonly children: ReactNode;
}

export function PageProblem({ title, children }: Props) {
  return (
    <SpaceBetween size="l">
      <Header variant="h1">{title}</Header>
      {children}
    </SpaceBetween>
  );
}
