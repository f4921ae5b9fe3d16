/** What of a role is no policy. */

import { useState } from 'react';

import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Textarea from '@cloudscape-design/components/textarea';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { FormModal } from '../../../ui/forms/FormModal.tsx';
import { useAction } from '../../../ui/forms/useAction.ts';

const texts = accessTexts.roles;

/** Source: IAM API Reference, `MaxSessionDuration` of `UpdateRole`. */
const SECONDS_MIN = 3_600;
const SECONDS_MAX = 43_200;

interface Props {
  readonly role: iam.Role;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function EditRole({ role, onDone, onClose }: Props) {
  const [description, setDescription] = useState(role.Description ?? '');
  const [duration, setDuration] = useState(String(role.MaxSessionDuration ?? SECONDS_MIN));
  const action = useAction();
  const seconds = /^\d+$/.test(duration) ? Number(duration) : Number.NaN;
  const isGood = seconds >= SECONDS_MIN && seconds <= SECONDS_MAX;
  const save = async () => {
    const input = { RoleName: role.RoleName, Description: description, MaxSessionDuration: seconds };
    if (await action.run(async () => void (await call(iam.UpdateRole, input)))) {
      onClose();
      onDone();
    }
  };
  return (
    <FormModal
      title={texts.edit}
      submitText={partTexts.forms.save}
      action={action}
      isReady={isGood}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <FormField label={accessTexts.description}>
        <Textarea value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
      <FormField
        label={accessTexts.sessionDuration}
        constraintText={texts.durationHint}
        errorText={isGood ? undefined : texts.durationBad}
      >
        <Input value={duration} onChange={({ detail }) => setDuration(detail.value.trim())} inputMode="numeric" />
      </FormField>
    </FormModal>
  );
}
