/** What can be done in the directory that is shown, and with what is chosen in it. */

import { useRef, useState } from 'react';

import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { notify } from '../app/notifications.ts';
import type { Carried } from '../terminal/carried.ts';
import { filesTexts as texts } from '../texts/files.ts';
import { ConfirmAction } from '../ui/forms/ConfirmAction.tsx';
import { visibleLine } from '../ui/visible.ts';
import type { Directory, Row } from './directory.ts';
import type { Files } from './files.ts';
import { NameDialog } from './NameDialog.tsx';
import { join } from './paths.ts';
import { inWords, wordsOf } from './words.ts';

interface Props {
  readonly files: Files;
  readonly directory: Directory;
  readonly selected: readonly Row[];
  readonly onUpload: (carried: Carried) => void;
  readonly onChanged: () => void;
}

/** Names that are shown of what would be deleted. */
const NAMES_MAX = 5;

export function Actions({ files, directory, selected, onUpload, onChanged }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [dialog, setDialog] = useState<'new' | 'rename' | 'remove'>();
  const [only] = selected;
  const canDownload = selected.length > 0 && selected.every(({ leadsTo }) => leadsTo === 'file');
  const close = () => setDialog(undefined);
  const changed = () => {
    close();
    onChanged();
  };
  const download = () => {
    const wanted = selected.map(({ path, attributes }) => ({ path, size: attributes.size ?? 0 }));
    files.download(wanted).catch((error: unknown) => notify({ type: 'error', header: wordsOf(error) }));
  };
  return (
    <div className="files-actions">
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid="files-input"
        onChange={({ currentTarget }) => {
          onUpload([...(currentTarget.files ?? [])]);
          currentTarget.value = '';
        }}
      />
      <SpaceBetween direction="horizontal" size="xs">
        <Button iconName="refresh" ariaLabel={texts.refresh} onClick={onChanged} />
        <Button iconName="upload" onClick={() => input.current?.click()}>
          {texts.upload}
        </Button>
        <Button iconName="download" disabled={!canDownload} onClick={download}>
          {texts.download}
        </Button>
        <ButtonDropdown
          ariaLabel={texts.actions}
          items={[
            { id: 'new', text: texts.newDirectory },
            { id: 'rename', text: texts.rename, disabled: selected.length !== 1 },
            { id: 'remove', text: texts.remove, disabled: selected.length === 0 },
          ]}
          onItemClick={({ detail }) => setDialog(detail.id as 'new' | 'rename' | 'remove')}
        />
      </SpaceBetween>
      {dialog === 'new' && (
        <NameDialog
          title={texts.newDirectory}
          submitText={texts.create}
          name=""
          onNamed={(name) => files.use((client) => client.makeDirectory(join(directory.path, name)))}
          onDone={changed}
          onClose={close}
        />
      )}
      {dialog === 'rename' && only && (
        <NameDialog
          title={texts.renameOf(visibleLine(only.name))}
          submitText={texts.rename}
          name={only.name}
          onNamed={(name) => files.use((client) => client.rename(only.path, join(directory.path, name)))}
          onDone={changed}
          onClose={close}
        />
      )}
      {dialog === 'remove' && (
        <ConfirmAction
          title={texts.removeHeader(selected.length)}
          body={texts.removeBody(selected.slice(0, NAMES_MAX).map(({ name }) => visibleLine(name)).join(', '), Math.max(0, selected.length - NAMES_MAX))}
          confirmText={texts.remove}
          doneText={texts.removed(selected.length)}
          onConfirm={() => inWords(remove(files, selected))}
          onDone={changed}
          onClose={() => {
            close();
            // Some of them may be gone.
            onChanged();
          }}
        />
      )}
    </div>
  );
}

async function remove(files: Files, rows: readonly Row[]): Promise<void> {
  for (const { path, kind } of rows) {
    await files.use((client) => (kind === 'directory' ? client.removeDirectory(path) : client.remove(path)));
  }
}
