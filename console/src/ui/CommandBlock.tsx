/** A command to paste elsewhere. */

import Box from '@cloudscape-design/components/box';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';

import { startSessionTexts as texts } from '../texts/start-session.ts';
import { visibleLine } from './visible.ts';
import './command-block.css';

interface Props {
  readonly label: string;
  readonly command: string;
}

export function CommandBlock({ label, command }: Props) {
  return (
    <div className="command-block">
      <Box variant="awsui-key-label">{label}</Box>
      <div>
        <code>{visibleLine(command)}</code>
        <CopyToClipboard
          variant="icon"
          textToCopy={command}
          copyButtonAriaLabel={`${texts.copy}: ${label}`}
          copySuccessText={texts.copied}
          copyErrorText={texts.copyFailed}
        />
      </div>
    </div>
  );
}

/** A word for a POSIX shell. */
export function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
