/** Who may take on a role, edited. */

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { Loading } from '../../../app/Loading.tsx';
import { notify } from '../../../app/notifications.ts';
import { navigate } from '../../../router/location.ts';
import type { PageProps } from '../../../router/route.ts';
import { useSignIn } from '../../../sign-in/state.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { decodedDocument } from '../iam.ts';
import { Failure } from '../../../ui/denial/Failure.tsx';
import { holderPath } from '../paths.ts';
import { formatted, trustExamples } from '../policy/examples.ts';
import { PolicyForm } from '../policy/PolicyForm.tsx';
import { CHARACTERS_MAX } from '../policy/sizes.ts';

const texts = accessTexts.roles;

export default function TrustPolicyPage({ parameters }: PageProps) {
  const name = parameters['name'] ?? '';
  const { accountId } = useSignIn();
  const role = useResource(async (signal) => (await call(iam.GetRole, { RoleName: name }, signal)).Role, [name]);
  if (role.value === undefined) {
    return role.error === undefined ? <Loading /> : <Failure error={role.error} retry={role.reload} />;
  }
  const document = decodedDocument(role.value.AssumeRolePolicyDocument);
  const back = `${holderPath({ kind: 'role', name })}?tab=trust`;
  return (
    <PolicyForm
      title={`${texts.trust}: ${visibleLine(name)}`}
      description={texts.trustDescription}
      kind="trust"
      examples={trustExamples(accountId)}
      charactersMax={CHARACTERS_MAX.trust}
      initial={formatted(document) ?? document}
      submitText={partTexts.forms.save}
      cancelPath={back}
      onSave={async (PolicyDocument) => {
        await call(iam.UpdateAssumeRolePolicy, { RoleName: name, PolicyDocument });
        notify({ type: 'success', header: texts.trustSaved(visibleLine(name)) });
        navigate(back);
      }}
    />
  );
}
