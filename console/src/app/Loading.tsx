/** Stands where a page will be. */

import Box from '@cloudscape-design/components/box';
import Spinner from '@cloudscape-design/components/spinner';

import { frameTexts } from '../texts/frame.ts';

export function Loading() {
  return (
    <Box textAlign="center" padding="xxxl">
      <output aria-label={frameTexts.loadingPage}>
        <Spinner size="large" />
      </output>
    </Box>
  );
}
