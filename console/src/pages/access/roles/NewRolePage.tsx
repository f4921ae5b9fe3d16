/** Makes a role. */

import { useState } from 'react';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { notify } from '../../../app/notifications.ts';
import { navigate } from '../../../router/location.ts';
import { useSignIn } from '../../../sign-in/state.ts';
import { accessTexts } from '../../../texts/access.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { accessPaths, holderPath } from '../paths.ts';
import { trustExamples } from '../policy/examples.ts';
import { NameFields } from '../policy/NameFields.tsx';
import { PolicyForm } from '../policy/PolicyForm.tsx';
import { CHARACTERS_MAX } from '../policy/sizes.ts';

const texts = accessTexts.roles;

export default function NewRolePage() {
  const { accountId } = useSignIn();
  const [named, setNamed] = useState({ name: '', description: '' });
  const { name, description } = named;
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
      fields={<NameFields value={named} onChange={setNamed} />}
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
