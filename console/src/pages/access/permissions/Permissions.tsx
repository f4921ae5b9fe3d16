/** What a user, group or role may do: managed policies, inline policies, and the boundary of both. */

import SpaceBetween from '@cloudscape-design/components/space-between';

import type { Bounded, Holder } from '../holder.ts';
import { AttachedPolicies } from './AttachedPolicies.tsx';
import { Boundary } from './Boundary.tsx';
import { InlinePolicies } from './InlinePolicies.tsx';

interface Props {
  readonly holder: Holder;
  /** A group has none. */
  readonly boundary?: { readonly of: Bounded; readonly arn: string | undefined; readonly onChange: () => void };
}

export function Permissions({ holder, boundary }: Props) {
  return (
    <SpaceBetween size="l">
      <AttachedPolicies holder={holder} />
      <InlinePolicies holder={holder} />
      {boundary && <Boundary {...boundary} />}
    </SpaceBetween>
  );
}
