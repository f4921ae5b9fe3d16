/** Asks once before something that can be undone only with effort. */

import Box from '@cloudscape-design/components/box';

import { notify } from '../../app/notifications.ts';
import { FormModal } from './FormModal.tsx';
import { useAction } from './useAction.ts';

interface Props {
  readonly title: string;
  readonly body: string;
  readonly confirmText: string;
  readonly doneText: string;
  readonly onConfirm: () => Promise<void>;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function ConfirmAction({ title, body, confirmText, doneText, onConfirm, onDone, onClose }: Props) {
  const action = useAction();
  const confirm = async () => {
    if (await action.run(onConfirm)) {
      notify({ type: 'success', header: doneText });
      onDone();
    }
  };
  return (
    <FormModal title={title} submitText={confirmText} action={action} onSubmit={() => void confirm()} onClose={onClose}>
      <Box>{body}</Box>
    </FormModal>
  );
}
