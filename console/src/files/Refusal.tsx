/** Why no session with the files was started, with the statement that decided if it was one. */

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { ApiError } from '../api/errors.ts';
import { CallProblem } from '../pages/start-session/WhyDenied.tsx';
import { filesTexts } from '../texts/files.ts';

const texts = filesTexts.refused;

export function Refusal({ error, retry }: { readonly error: unknown; readonly retry: () => void }) {
  return (
    <SpaceBetween size="s">
      <CallProblem error={error} />
      {error instanceof ApiError && error.isDenial && <Box>{texts.needs}</Box>}
      {error instanceof ApiError && error.code === 'InvalidDocument' && <Box>{texts.agent}</Box>}
      <Button onClick={retry}>{filesTexts.retry}</Button>
    </SpaceBetween>
  );
}
