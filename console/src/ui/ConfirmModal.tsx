/** Asks before something that cannot be undone, and shows why it did not work. */

import { useState, type ReactNode } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { ProblemAlert } from './ProblemAlert.tsx';

interface Props {
  readonly title: string;
  readonly confirm: string;
  readonly cancel: string;
  readonly children: ReactNode;
  /** Does it. What it throws is shown, and the question stays. */
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

export function ConfirmModal({ title, confirm, cancel, children, onConfirm, onClose }: Props) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setIsBusy] = useState(false);

  async function act(): Promise<void> {
    setIsBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (thrown) {
      setError(thrown);
      setIsBusy(false);
    }
  }

  return (
    <Modal
      visible
      onDismiss={onClose}
      header={title}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {cancel}
            </Button>
            <Button variant="primary" loading={isBusy} onClick={() => void act()}>
              {confirm}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {children}
        {error !== undefined && <ProblemAlert error={error} />}
      </SpaceBetween>
    </Modal>
  );
}
