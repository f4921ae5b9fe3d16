/** Chooses several of a list over the page. */

import { useState } from 'react';

import type { Resource } from '../resource.ts';
import { FormModal } from './FormModal.tsx';
import { Listing, type Column } from '../table/Listing.tsx';
import { useAction } from './useAction.ts';

interface Props<T> {
  readonly title: string;
  readonly listTitle: string;
  readonly things: string;
  readonly submitText: string;
  readonly noOthers: string;
  readonly resource: Resource<readonly T[]>;
  readonly columns: readonly Column<T>[];
  readonly keyOf: (item: T) => string;
  readonly textOf: (item: T) => string;
  /** Does with one what is to be done with each of those that were chosen. */
  readonly onChosen: (item: T) => Promise<void>;
  /** After the last, and after a failure: some may be done. */
  readonly onDone: (count: number) => void;
  readonly onClose: () => void;
}

export function ChooseModal<T>({ title, listTitle, things, submitText, noOthers, onChosen, onDone, onClose, ...list }: Props<T>) {
  const [selected, setSelected] = useState<readonly T[]>([]);
  const action = useAction();
  const submit = async () => {
    let done = 0;
    const isDone = await action.run(async () => {
      for (const item of selected) {
        await onChosen(item);
        done += 1;
      }
    });
    if (done > 0) {
      onDone(done);
    }
    if (isDone) {
      onClose();
    }
  };
  return (
    <FormModal
      title={title}
      size="large"
      sendsOnEnter={false}
      submitText={submitText}
      action={action}
      isReady={selected.length > 0}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <Listing
        {...list}
        title={listTitle}
        things={things}
        variant="embedded"
        empty={{ title: noOthers, body: '' }}
        selection={{ selected, onChange: setSelected }}
      />
    </FormModal>
  );
}
