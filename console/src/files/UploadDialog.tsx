/** Says what is about to be uploaded, and asks where to. */

import { useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { notify } from '../app/notifications.ts';
import type { Carried } from '../terminal/carried.ts';
import { filesTexts } from '../texts/files.ts';
import { FormModal } from '../ui/forms/FormModal.tsx';
import { useAction } from '../ui/forms/useAction.ts';
import { useResource } from '../ui/resource.ts';
import { visibleLine } from '../ui/visible.ts';
import { isDirectory } from './directory.ts';
import { type Dropped, lookInto } from './dropped.ts';
import type { Files } from './files.ts';
import { typedDirectory } from './paths.ts';
import { inWords, wordsOf } from './words.ts';

const texts = filesTexts.uploadDialog;
/** Names that are shown of what is uploaded. */
const NAMES_MAX = 5;

/** Where files go unless the user says otherwise. */
export interface Proposal {
  readonly directory: string | undefined;
  /** Whether a program in the terminal has named it. */
  readonly isSaid: boolean;
}

interface Props {
  readonly files: Files;
  readonly carried: Carried;
  readonly proposal: Proposal;
  /** They are on their way into that directory. */
  readonly onStarted: (directory: string) => void;
  readonly onClose: () => void;
}

export function UploadDialog({ files, carried, proposal, onStarted, onClose }: Props) {
  const dropped = useResource(() => lookInto(carried), []);
  const proposed = useResource(() => files.use((client, home) => firstThere(proposal, home, (path) => isDirectory(client, path))), []);
  const [typed, setTyped] = useState<string>();
  const action = useAction();
  const target = visibleLine(files.target);
  const directory = typed ?? proposed.value?.directory ?? '';
  const count = dropped.value ? dropped.value.files.length + dropped.value.directories.length : 0;
  const start = async () => {
    const what = dropped.value;
    const isDone = await action.run(async () => {
      const into = await inWords(files.use((client, home) => wholeDirectory(directory, home, client)));
      if (what) {
        files.upload(into, what).catch((error: unknown) => notify({ type: 'error', header: wordsOf(error) }));
        onStarted(into);
      }
    });
    if (isDone) {
      onClose();
    }
  };
  return (
    <FormModal title={texts.header} submitText={texts.submit} action={action} isReady={count > 0 && directory !== ''} onSubmit={() => void start()} onClose={onClose}>
      {dropped.error !== undefined && <Alert type="error">{texts.unreadable}</Alert>}
      {dropped.value ? <What dropped={dropped.value} /> : dropped.isLoading && <StatusIndicator type="loading">{texts.looking}</StatusIndicator>}
      <FormField label={texts.into(target)} description={texts.intoHint} constraintText={typed === undefined && proposed.value?.isSaid && texts.bySaying}>
        <Input value={directory} onChange={({ detail }) => setTyped(detail.value)} autoFocus autoComplete={false} spellcheck={false} readOnly={proposed.isLoading} />
      </FormField>
    </FormModal>
  );
}

function What({ dropped: { files, directories, isCut } }: { readonly dropped: Dropped }) {
  if (files.length + directories.length === 0) {
    return <Alert type="info">{texts.nothing}</Alert>;
  }
  const size = files.reduce((sum, { file }) => sum + file.size, 0);
  const names = files.slice(0, NAMES_MAX).map(({ steps }) => visibleLine(steps.join('/')));
  return (
    <>
      <Box>{texts.what(files.length, directories.length, filesTexts.bytes(size))}</Box>
      <ul className="files-names">
        {names.map((name) => (
          <li key={name}>{name}</li>
        ))}
        {files.length > names.length && <li>…</li>}
      </ul>
      {isCut && <Alert type="warning">{texts.cut}</Alert>}
    </>
  );
}

/** What was proposed, if it is there; else the home directory. */
async function firstThere({ directory, isSaid }: Proposal, home: string, isThere: (path: string) => Promise<boolean>): Promise<Proposal> {
  return directory !== undefined && (await isThere(directory)) ? { directory, isSaid } : { directory: home, isSaid: false };
}

async function wholeDirectory(typed: string, home: string, client: Parameters<typeof isDirectory>[0]): Promise<string> {
  const directory = typedDirectory(typed, home);
  if (directory === undefined || !(await isDirectory(client, directory))) {
    throw new Error(texts.notThere);
  }
  return client.realPath(directory);
}
