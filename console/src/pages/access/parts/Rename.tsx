/** Gives a user or a group another name. */

import { useState } from 'react';

import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { notify } from '../../../app/notifications.ts';
import { navigate } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { FormModal } from '../../../ui/forms/FormModal.tsx';
import { useAction } from '../../../ui/forms/useAction.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { holderPath } from '../paths.ts';

const texts = accessTexts.rename;

interface Props {
  readonly kind: 'user' | 'group';
  readonly name: string;
  readonly onClose: () => void;
}

export function Rename({ kind, name, onClose }: Props) {
  const [newName, setNewName] = useState(name);
  const action = useAction();
  const rename = async () => {
    if (await action.run(async () => void (await renamed(kind, name, newName)))) {
      notify({ type: 'success', header: texts.done(visibleLine(name), visibleLine(newName)) });
      onClose();
      navigate(holderPath({ kind, name: newName }));
    }
  };
  return (
    <FormModal
      title={texts.title(accessTexts.kinds[kind])}
      submitText={texts.submit}
      action={action}
      isReady={newName !== '' && newName !== name}
      onSubmit={() => void rename()}
      onClose={onClose}
    >
      <Box>{texts.consequences[kind]}</Box>
      <FormField label={texts.newName} constraintText={partTexts.forms.nameHint}>
        <Input value={newName} onChange={({ detail }) => setNewName(detail.value)} autoFocus autoComplete={false} spellcheck={false} />
      </FormField>
    </FormModal>
  );
}

function renamed(kind: Props['kind'], name: string, newName: string): Promise<unknown> {
  return kind === 'user'
    ? call(iam.UpdateUser, { UserName: name, NewUserName: newName })
    : call(iam.UpdateGroup, { GroupName: name, NewGroupName: newName });
}
