/** Makes a managed policy. */

import { useState } from 'react';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { notify } from '../../../app/notifications.ts';
import { navigate } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { accessPaths, policyPath } from '../paths.ts';
import { EXAMPLES } from '../policy/examples.ts';
import { NameFields } from '../policy/NameFields.tsx';
import { PolicyForm } from '../policy/PolicyForm.tsx';
import { CHARACTERS_MAX } from '../policy/sizes.ts';

const texts = accessTexts.policies;

export default function NewPolicyPage() {
  const [named, setNamed] = useState({ name: '', description: '' });
  const { name, description } = named;
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
      fields={<NameFields value={named} onChange={setNamed} />}
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
