/** Asks before things of the node are deleted, says how much it is, and deletes it. */

import { useEffect, useRef, useState } from 'react';

import Box from '@cloudscape-design/components/box';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { notify } from '../app/notifications.ts';
import { filesTexts } from '../texts/files.ts';
import { FormModal } from '../ui/forms/FormModal.tsx';
import { useAction } from '../ui/forms/useAction.ts';
import { ProblemAlert } from '../ui/ProblemAlert.tsx';
import { visibleLine } from '../ui/visible.ts';
import type { Row } from './directory.ts';
import type { Files } from './files.ts';
import { type Doomed, lookThrough, removeAll } from './tree/removal.ts';
import { inWords } from './words.ts';

interface Props {
  readonly files: Files;
  readonly rows: readonly Row[];
  /** It is deleted, all or a part of it. */
  readonly onDone: () => void;
}

const texts = filesTexts.removal;
/** Names that are shown of what would be deleted. */
const NAMES_MAX = 5;
/** How often progress is shown. */
const SHOW_EVERY_MS = 150;

export function RemoveDialog({ files, rows, onDone }: Props) {
  const action = useAction();
  const stop = useRef(new AbortController());
  const { doomed, found, error } = useDoomed(files, rows);
  const [removed, setRemoved] = useState(0);
  const remove = async (all: Doomed) => {
    let count = 0;
    const { signal } = stop.current;
    const timer = window.setInterval(() => setRemoved(count), SHOW_EVERY_MS);
    try {
      await files.use((client) => removeAll(client, all, (now) => (count = now), signal));
    } catch (error) {
      if (signal.aborted) {
        notify({ type: 'info', header: texts.stopped(count, all.count) });
        return;
      }
      throw error;
    } finally {
      window.clearInterval(timer);
      setRemoved(count);
    }
    notify({ type: 'success', header: texts.done(all.count) });
  };
  const submit = async () => {
    if (doomed && (await action.run(() => inWords(remove(doomed))))) {
      onDone();
    }
  };
  const close = () => {
    stop.current.abort();
    // What is being deleted tells how far it came, and then goes.
    if (!action.isBusy) {
      onDone();
    }
  };
  const names = rows.slice(0, NAMES_MAX).map(({ name }) => visibleLine(name)).join(', ');
  return (
    <FormModal title={texts.header(doomed?.count ?? rows.length, doomed !== undefined)} submitText={filesTexts.remove} action={action} isReady={doomed !== undefined} onSubmit={() => void submit()} onClose={close}>
      <Box>{texts.body(names, Math.max(0, rows.length - NAMES_MAX))}</Box>
      {error !== undefined && <ProblemAlert error={error} />}
      {!doomed && error === undefined && <StatusIndicator type="loading">{texts.looking(found)}</StatusIndicator>}
      {doomed && !action.isBusy && doomed.directories.length > 0 && (
        <Box>{texts.within(doomed.count - doomed.directories.length, doomed.directories.length, filesTexts.bytes(doomed.bytes))}</Box>
      )}
      {doomed && action.isBusy && (
        <ProgressBar ariaLabel={filesTexts.remove} value={(100 * removed) / Math.max(1, doomed.count)} additionalInfo={texts.progress(removed, doomed.count)} />
      )}
    </FormModal>
  );
}

/** All that would be deleted, once that is known. */
function useDoomed(files: Files, rows: readonly Row[]) {
  const [state, setState] = useState<{ readonly doomed?: Doomed; readonly found: number; readonly error?: unknown }>({ found: 0 });
  // What was chosen when the dialog was opened.
  const [chosen] = useState(rows);
  useEffect(() => {
    const stop = new AbortController();
    let found = 0;
    const timer = window.setInterval(() => setState({ found }), SHOW_EVERY_MS);
    inWords(files.use((client) => lookThrough(client, chosen, (count) => (found = count), stop.signal)))
      .then((doomed): Parameters<typeof setState>[0] => ({ doomed, found }))
      .catch((error: unknown): Parameters<typeof setState>[0] => ({ error, found }))
      .then((settled) => {
        window.clearInterval(timer);
        if (!stop.signal.aborted) {
          setState(settled);
        }
      })
      .catch(() => {});
    return () => {
      window.clearInterval(timer);
      stop.abort();
    };
  }, [files, chosen]);
  return state;
}
