/** No route has this address. */

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';

import { href } from '../router/location.ts';
import { frameTexts } from '../texts/frame.ts';
import { FIRST_PATH } from './routes.ts';

export function NotFound() {
  const texts = frameTexts.notFound;
  return (
    <Box textAlign="center" padding="xxxl">
      <Box variant="h1">{texts.title}</Box>
      <Box variant="p" margin={{ bottom: 'l' }}>
        {texts.body}
      </Box>
      <Button href={href(FIRST_PATH)}>{texts.action}</Button>
    </Box>
  );
}
