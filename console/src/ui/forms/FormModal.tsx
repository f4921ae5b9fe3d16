/** A small form over the page. */

import type { ReactNode } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { partTexts } from '../../texts/parts.ts';
import { Failure } from '../denial/Failure.tsx';
import type { Action } from './useAction.ts';

interface Props {
  readonly title: string;
  readonly submitText: string;
  readonly action: Action;
  /** Whether it can be sent. */
  readonly isReady?: boolean;
  readonly size?: 'medium' | 'large';
  /** Whether Enter in a field sends it. Not where the fields only help to choose. */
  readonly sendsOnEnter?: boolean;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** It is drawn while it is open: whoever shows it decides that. */
export function FormModal(props: Props) {
  const { title, submitText, action, isReady = true, size = 'medium', sendsOnEnter = true, onSubmit, onClose, children } = props;
  const texts = partTexts.forms;
  const submit = () => {
    if (isReady && !action.isBusy) {
      onSubmit();
    }
  };
  return (
    <Modal
      visible
      size={size}
      header={title}
      closeAriaLabel={texts.close}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {texts.cancel}
            </Button>
            <Button variant="primary" disabled={!isReady} loading={action.isBusy} onClick={submit}>
              {submitText}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (sendsOnEnter) {
            submit();
          }
        }}
      >
        <SpaceBetween size="m">
          {children}
          {action.error !== undefined && <Failure error={action.error} />}
        </SpaceBetween>
        {/* Enter in one of several fields sends the form only if it has a button of its own. */}
        <button type="submit" hidden tabIndex={-1} aria-hidden="true" />
      </form>
    </Modal>
  );
}
