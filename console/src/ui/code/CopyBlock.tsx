/** Several lines with a button that copies them. */

import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { partTexts } from '../../texts/parts.ts';
import { CodeView } from './CodeView.tsx';

interface Props {
  readonly text: string;
  readonly label: string;
}

export function CopyBlock({ text, label }: Props) {
  const texts = partTexts.forms;
  return (
    <SpaceBetween size="xs">
      <CodeView text={text} label={label} />
      <CopyToClipboard
        textToCopy={text}
        copyButtonText={texts.copy}
        copyButtonAriaLabel={`${texts.copy}: ${label}`}
        copySuccessText={texts.copied}
        copyErrorText={texts.copyFailed}
      />
    </SpaceBetween>
  );
}
