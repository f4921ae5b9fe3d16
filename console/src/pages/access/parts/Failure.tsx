/** An error, and of a denied call which action is missing and where it is explained. */

import Box from '@cloudscape-design/components/box';
import Link from '@cloudscape-design/components/link';

import { href } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { ApiError } from '../../../api/errors.ts';
import { ProblemAlert } from '../../../ui/ProblemAlert.tsx';
import { visibleLine } from '../../../ui/visible.ts';
import { simulatorPath } from '../paths.ts';
import { parseDenial, policySourceOf, type Denial } from './denial.ts';

interface Props {
  readonly error: unknown;
  readonly retry?: () => void;
}

export function Failure({ error, retry }: Props) {
  const denial = error instanceof ApiError && error.isDenial ? parseDenial(error.message) : undefined;
  return (
    <ProblemAlert error={error} retry={retry}>
      {denial && <Missing denial={denial} />}
    </ProblemAlert>
  );
}

function Missing({ denial: { principal, action, resource } }: { readonly denial: Denial }) {
  const texts = accessTexts.denial;
  const question = { principal: policySourceOf(principal), action, resource };
  return (
    <Box color="inherit" margin={{ top: 'xs' }}>
      <strong>{texts.missing(visibleLine(action))}</strong> {resource !== '*' && texts.on(visibleLine(resource))}{' '}
      <Link href={href(simulatorPath(question))}>{texts.explain}</Link>
    </Box>
  );
}
