/** Makes a role. */

import { useState } from 'react';

import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { notify } from '../../../app/notifications.ts';
import { navigate } from '../../../router/location.ts';
import { useSignIn } from '../../../sign-in/state.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { accessPaths, holderPath } from '../paths.ts';
import { trustExamples } from '../policy/examples.ts';
import { PolicyForm } from '../policy/PolicyForm.tsx';
import { CHARACTERS_MAX } from '../policy/sizes.ts';

const texts = accessTexts.roles;

export default function NewRolePage() {
  const { accountId } = useSignIn();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const examples = trustExamples(accountId);
  return (
    <PolicyForm
      title={texts.create}
      description={texts.description}
      kind="trust"
      examples={examples}
      charactersMax={CHARACTERS_MAX.trust}
      initial={examples[0]?.document ?? ''}
      submitText={texts.create}
      cancelPath={accessPaths.roles}
      isReady={name !== ''}
      fields={
        <SpaceBetween size="m">
          <FormField label={accessTexts.name} constraintText={partTexts.forms.nameHint}>
            <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus autoComplete={false} spellcheck={false} />
          </FormField>
          <FormField label={`${accessTexts.description} – ${partTexts.forms.optional}`}>
            <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
          </FormField>
        </SpaceBetween>
      }
      onSave={async (AssumeRolePolicyDocument) => {
        await call(iam.CreateRole, {
          RoleName: name,
          AssumeRolePolicyDocument,
          ...(description !== '' && { Description: description }),
        });
        notify({ type: 'success', header: texts.created(visibleLine(name)) });
        navigate(holderPath({ kind: 'role', name }));
      }}
    />
  );
}
