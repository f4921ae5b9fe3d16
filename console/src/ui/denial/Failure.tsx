/** An error, and of a denied call which action is missing and where it is explained. */

import Box from '@cloudscape-design/components/box';
import Link from '@cloudscape-design/components/link';

import { href } from '../../router/location.ts';
import { partTexts } from '../../texts/parts.ts';
import { ApiError } from '../../api/errors.ts';
import { ProblemAlert } from '../ProblemAlert.tsx';
import { visibleLine } from '../visible.ts';
import { simulatorPath } from './simulatorPath.ts';
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
  const texts = partTexts.denial;
  const question = { principal: policySourceOf(principal), action, resource };
  return (
    <Box color="inherit" margin={{ top: 'xs' }}>
      <strong>{texts.missing(visibleLine(action))}</strong> {resource !== '*' && texts.on(visibleLine(resource))}{' '}
      <Link href={href(simulatorPath(question))}>{texts.explain}</Link>
    </Box>
  );
}
