/** What can be done in the directory that is shown, and with what is chosen in it. */

import { useRef, useState } from 'react';

import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { notify } from '../app/notifications.ts';
import type { Carried } from '../terminal/carried.ts';
import { filesTexts as texts } from '../texts/files.ts';
import { visibleLine } from '../ui/visible.ts';
import type { Directory, Row } from './directory.ts';
import type { Files } from './files.ts';
import { NameDialog } from './NameDialog.tsx';
import { join } from './paths.ts';
import { RemoveDialog } from './RemoveDialog.tsx';
import { wordsOf } from './words.ts';

interface Props {
  readonly files: Files;
  readonly directory: Directory;
  readonly selected: readonly Row[];
  readonly onUpload: (carried: Carried) => void;
  readonly onChanged: () => void;
}

export function Actions({ files, directory, selected, onUpload, onChanged }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [dialog, setDialog] = useState<'new' | 'rename' | 'remove'>();
  const [only] = selected;
  const canDownload = selected.length > 0 && selected.every(({ kind, leadsTo }) => leadsTo === 'file' || kind === 'directory');
  const close = () => setDialog(undefined);
  const changed = () => {
    close();
    onChanged();
  };
  const download = () => {
    files.download(selected).catch((error: unknown) => notify({ type: 'error', header: wordsOf(error) }));
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
        <RemoveDialog files={files} rows={selected} onDone={changed} />
      )}
    </div>
  );
}
