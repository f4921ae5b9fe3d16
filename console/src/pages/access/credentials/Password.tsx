/** A user's password for the console. */

import { useState } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { call } from '../../../api/call.ts';
import { ApiError } from '../../../api/errors.ts';
import * as iam from '../../../api/generated/iam.ts';
import { Loading } from '../../../app/Loading.tsx';
import { notify } from '../../../app/notifications.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { useResource } from '../../../ui/resource.ts';
import { ConfirmAction } from '../../../ui/forms/ConfirmAction.tsx';
import { CopyText } from '../../../ui/code/CopyText.tsx';
import { Failure } from '../../../ui/denial/Failure.tsx';
import { FormModal } from '../../../ui/forms/FormModal.tsx';
import { Time } from '../parts/Time.tsx';
import { useAction } from '../../../ui/forms/useAction.ts';
import { randomPassword } from './password.ts';

const texts = accessTexts.credentials.password;

export function Password({ userName }: { readonly userName: string }) {
  const profile = useResource((signal) => loginProfile(userName, signal), [userName]);
  const [open, setOpen] = useState<'set' | 'remove'>();
  const close = () => setOpen(undefined);
  const { value } = profile;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={texts.description}
          actions={
            value !== undefined && (
              <SpaceBetween direction="horizontal" size="xs">
                {value && <Button onClick={() => setOpen('remove')}>{texts.remove}</Button>}
                <Button onClick={() => setOpen('set')}>{value ? texts.change : texts.set}</Button>
              </SpaceBetween>
            )
          }
        >
          {texts.title}
        </Header>
      }
    >
      {profile.error !== undefined && <Failure error={profile.error} retry={profile.reload} />}
      {value === undefined && profile.error === undefined && <Loading />}
      {value === null && <Box color="text-body-secondary">{texts.none}</Box>}
      {value && (
        <KeyValuePairs
          columns={2}
          items={[
            { label: texts.created, value: <Time seconds={value.CreateDate} absent={accessTexts.unknown} /> },
            { label: texts.reset, value: value.PasswordResetRequired ? texts.yes : texts.no },
          ]}
        />
      )}
      {open === 'set' && (
        <SetPassword userName={userName} isNew={value === null} onDone={profile.reload} onClose={close} />
      )}
      {open === 'remove' && (
        <ConfirmAction
          title={texts.remove}
          body={texts.none}
          confirmText={texts.remove}
          doneText={texts.removed}
          onConfirm={async () => void (await call(iam.DeleteLoginProfile, { UserName: userName }))}
          onDone={() => {
            close();
            profile.reload();
          }}
          onClose={close}
        />
      )}
    </Container>
  );
}

/** The user's profile; `null` for who has no password. */
async function loginProfile(userName: string, signal: AbortSignal): Promise<iam.LoginProfile | null> {
  try {
    return (await call(iam.GetLoginProfile, { UserName: userName }, signal)).LoginProfile;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'NoSuchEntity') {
      return null;
    }
    throw error;
  }
}

interface SetProps {
  readonly userName: string;
  readonly isNew: boolean;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

function SetPassword({ userName, isNew, onDone, onClose }: SetProps) {
  const [password, setPassword] = useState('');
  const [isMade, setIsMade] = useState(false);
  const [mustReset, setMustReset] = useState(true);
  const action = useAction();
  const save = async () => {
    const input = { UserName: userName, Password: password, PasswordResetRequired: mustReset };
    const isSaved = await action.run(async () => {
      await (isNew ? call(iam.CreateLoginProfile, input) : call(iam.UpdateLoginProfile, input));
    });
    if (isSaved) {
      notify({ type: 'success', header: texts.saved });
      onClose();
      onDone();
    }
  };
  return (
    <FormModal
      title={isNew ? texts.set : texts.change}
      submitText={partTexts.forms.save}
      action={action}
      isReady={password !== ''}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <FormField
        label={texts.new}
        constraintText={texts.hint}
        secondaryControl={
          <Button
            formAction="none"
            onClick={() => {
              setPassword(randomPassword());
              setIsMade(true);
            }}
          >
            {texts.generate}
          </Button>
        }
      >
        <Input
          type="password"
          value={password}
          onChange={({ detail }) => {
            setPassword(detail.value);
            setIsMade(false);
          }}
          autoComplete="new-password"
          autoFocus
        />
      </FormField>
      {isMade && (
        <Box>
          {texts.shown} <CopyText text={password} />
        </Box>
      )}
      <Checkbox checked={mustReset} onChange={({ detail }) => setMustReset(detail.checked)}>
        {texts.resetLabel}
      </Checkbox>
    </FormModal>
  );
}
