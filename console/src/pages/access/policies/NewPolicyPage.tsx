/** Makes a managed policy. */

import { useState } from 'react';

import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { notify } from '../../../app/notifications.ts';
import { navigate } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { accessPaths, policyPath } from '../paths.ts';
import { EXAMPLES } from '../policy/examples.ts';
import { PolicyForm } from '../policy/PolicyForm.tsx';
import { CHARACTERS_MAX } from '../policy/sizes.ts';

const texts = accessTexts.policies;

export default function NewPolicyPage() {
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  return (
    <PolicyForm
      title={texts.create}
      description={texts.description}
      kind="identity"
      examples={EXAMPLES}
      charactersMax={CHARACTERS_MAX.managed}
      initial=""
      submitText={texts.create}
      cancelPath={accessPaths.policies}
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
      onSave={async (PolicyDocument) => {
        const { Policy } = await call(iam.CreatePolicy, {
          PolicyName: name,
          PolicyDocument,
          ...(description !== '' && { Description: description }),
        });
        notify({ type: 'success', header: texts.created(visibleLine(name)) });
        navigate(policyPath(Policy?.Arn ?? ''));
      }}
    />
  );
}
