/** What a user proves its identity with. */

import SpaceBetween from '@cloudscape-design/components/space-between';

import { AccessKeys } from './AccessKeys.tsx';
import { MfaDevices } from './MfaDevices.tsx';
import { Password } from './Password.tsx';

export function Credentials({ userName }: { readonly userName: string }) {
  return (
    <SpaceBetween size="l">
      <Password userName={userName} />
      <MfaDevices userName={userName} />
      <AccessKeys userName={userName} />
    </SpaceBetween>
  );
}
