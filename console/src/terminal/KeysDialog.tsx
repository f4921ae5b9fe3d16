/** The keys that the terminal does not take. */

import Box from '@cloudscape-design/components/box';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Modal from '@cloudscape-design/components/modal';

import { terminalTexts } from '../texts/terminal.ts';
import { KEYS } from './keys.ts';

const texts = terminalTexts.keys;
const NAMES = { leave: texts.leave, search: texts.search, copy: texts.copy, paste: texts.paste, 'next-tab': texts.nextTab, font: texts.font };

export function KeysDialog({ onClosed }: { readonly onClosed: () => void }) {
  return (
    <Modal visible header={texts.header} onDismiss={onClosed} closeAriaLabel={terminalTexts.close}>
      <Box variant="p">{texts.body}</Box>
      <KeyValuePairs
        items={KEYS.flatMap(([command, key]) =>
          command in NAMES ? [{ label: NAMES[command as keyof typeof NAMES], value: <kbd>{key}</kbd> }] : [],
        )}
      />
    </Modal>
  );
}
