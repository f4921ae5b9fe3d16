/** A new password, typed twice. */

import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { signInTexts } from '../texts/sign-in.ts';

export interface Pair {
  readonly password: string;
  readonly again: string;
}

/** The password that both are. Throws if they differ. */
export function pairOf({ password, again }: Pair): string {
  if (password !== again) {
    throw new Error(signInTexts.newPassword.differ);
  }
  return password;
}

interface Props {
  readonly pair: Pair;
  readonly onChange: (pair: Pair) => void;
  readonly labels: readonly [string, string];
  /** Whether one begins here. */
  readonly isFirst?: boolean;
}

export function PasswordPair({ pair, onChange, labels: [label, labelAgain], isFirst = true }: Props) {
  const differ = pair.again !== '' && !pair.password.startsWith(pair.again) && signInTexts.newPassword.differ;
  return (
    <SpaceBetween size="l">
      <FormField label={label}>
        <Input
          value={pair.password}
          onChange={({ detail }) => onChange({ ...pair, password: detail.value })}
          type="password"
          name="new-password"
          autoComplete="new-password"
          autoFocus={isFirst}
          ariaRequired
        />
      </FormField>
      <FormField label={labelAgain} errorText={differ}>
        <Input
          value={pair.again}
          onChange={({ detail }) => onChange({ ...pair, again: detail.value })}
          type="password"
          name="new-password-again"
          autoComplete="new-password"
          ariaRequired
        />
      </FormField>
    </SpaceBetween>
  );
}
