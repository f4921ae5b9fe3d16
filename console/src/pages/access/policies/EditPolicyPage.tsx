/** Gives a managed policy another version. */

import { useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Checkbox from '@cloudscape-design/components/checkbox';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { Loading } from '../../../app/Loading.tsx';
import { notify } from '../../../app/notifications.ts';
import { navigate } from '../../../router/location.ts';
import type { PageProps } from '../../../router/route.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { Failure } from '../../../ui/denial/Failure.tsx';
import { policyPath } from '../paths.ts';
import { EXAMPLES, formatted } from '../policy/examples.ts';
import { PolicyForm } from '../policy/PolicyForm.tsx';
import { CHARACTERS_MAX } from '../policy/sizes.ts';
import { policyDocument, versionsOf, versionToDrop, VERSIONS_MAX } from './policy.ts';

const texts = accessTexts.policies;

export default function EditPolicyPage({ parameters }: PageProps) {
  const arn = parameters['arn'] ?? '';
  const name = visibleLine(arn.split('/').at(-1) ?? arn);
  const [isInForce, setIsInForce] = useState(true);
  const loaded = useResource(
    async (signal) => {
      const [document, versions] = await Promise.all([policyDocument(arn, undefined, signal), versionsOf(arn, signal)]);
      return { document: formatted(document) ?? document, dropped: versionToDrop(versions) };
    },
    [arn],
  );
  if (loaded.value === undefined) {
    return loaded.error === undefined ? <Loading /> : <Failure error={loaded.error} retry={loaded.reload} />;
  }
  const { document, dropped } = loaded.value;
  return (
    <PolicyForm
      title={texts.editTitle(name)}
      description={texts.compareNote}
      kind="identity"
      examples={EXAMPLES}
      charactersMax={CHARACTERS_MAX.managed}
      initial={document}
      submitText={partTexts.forms.save}
      cancelPath={policyPath(arn)}
      fields={
        <SpaceBetween size="m">
          <Checkbox checked={isInForce} onChange={({ detail }) => setIsInForce(detail.checked)}>
            {texts.makeCurrent}
          </Checkbox>
          {dropped !== undefined && <Alert type="info">{texts.versionsFull(VERSIONS_MAX, visibleLine(dropped))}</Alert>}
        </SpaceBetween>
      }
      onSave={async (PolicyDocument) => {
        await checkBeforeDropping(PolicyDocument, dropped);
        if (dropped !== undefined) {
          await call(iam.DeletePolicyVersion, { PolicyArn: arn, VersionId: dropped });
        }
        await call(iam.CreatePolicyVersion, { PolicyArn: arn, PolicyDocument, SetAsDefault: isInForce });
        notify({ type: 'success', header: texts.saved(name) });
        navigate(policyPath(arn));
      }}
    />
  );
}

/** A document that the server would refuse must not cost an old version. */
async function checkBeforeDropping(document: string, dropped: string | undefined): Promise<void> {
  if (dropped !== undefined) {
    await call(iam.SimulateCustomPolicy, { PolicyInputList: [document], ActionNames: ['sts:GetCallerIdentity'] });
  }
}
