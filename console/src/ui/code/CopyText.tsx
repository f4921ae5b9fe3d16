/** A text with a button that copies it. */

import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';

import { partTexts } from '../../texts/parts.ts';
import { visibleLine } from '../visible.ts';

export function CopyText({ text }: { readonly text: string }) {
  const texts = partTexts.forms;
  return (
    <CopyToClipboard
      variant="inline"
      textToCopy={text}
      textToDisplay={visibleLine(text)}
      copyButtonAriaLabel={texts.copy}
      copySuccessText={texts.copied}
      copyErrorText={texts.copyFailed}
    />
  );
}
