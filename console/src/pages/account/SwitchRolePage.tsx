/** Acting as a role. */

import { useState } from 'react';

import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { switchRole } from '../../api/console.ts';
import { notify } from '../../app/notifications.ts';
import { navigate, useLocation } from '../../router/location.ts';
import { askSignIn, useSignIn } from '../../sign-in/state.ts';
import { signInTexts } from '../../texts/sign-in.ts';
import { FormPage } from '../../ui/forms/FormPage.tsx';
import { CallProblem } from '../start-session/WhyDenied.tsx';

const texts = signInTexts.switchRole;
/** Source: the models of `roleNameType` with its path, and of `roleSessionNameType`. */
const ROLE = /^(?:arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]+|[\w+=,.@/-]+)$/;
const SESSION_NAME = /^[\w=,.@-]{2,64}$/;

export default function SwitchRolePage() {
  const { accountId } = useSignIn();
  const { query } = useLocation();
  const [role, setRole] = useState(query.get('role') ?? '');
  const [sessionName, setSessionName] = useState('');
  const [isChecked, setIsChecked] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const isRoleWrong = !ROLE.test(role);
  const isNameWrong = sessionName !== '' && !SESSION_NAME.test(sessionName);

  async function submit(): Promise<void> {
    setIsChecked(true);
    if (isRoleWrong || isNameWrong) {
      return;
    }
    setIsBusy(true);
    setError(undefined);
    try {
      await switchRole(role.startsWith('arn:') ? role : `arn:aws:iam::${accountId}:role/${role}`, sessionName || undefined);
      await askSignIn();
      notify({ type: 'success', header: texts.done(role) });
      navigate('/');
    } catch (thrown) {
      setError(thrown);
    }
    setIsBusy(false);
  }

  return (
    <FormPage
      texts={texts}
      cancelPath="/"
      isBusy={isBusy}
      problem={error !== undefined && <CallProblem error={error} />}
      onSubmit={() => void submit()}
    >
      <Container>
        <SpaceBetween size="l">
          <FormField label={texts.role} description={texts.roleHint} errorText={isChecked && isRoleWrong && texts.roleInvalid}>
            <Input value={role} spellcheck={false} onChange={({ detail }) => setRole(detail.value)} />
          </FormField>
          <FormField
            label={<>{texts.sessionName} – <i>{texts.optional}</i></>}
            description={texts.sessionNameHint}
            errorText={isNameWrong && texts.sessionNameInvalid}
          >
            <Input value={sessionName} spellcheck={false} onChange={({ detail }) => setSessionName(detail.value)} />
          </FormField>
        </SpaceBetween>
      </Container>
    </FormPage>
  );
}
