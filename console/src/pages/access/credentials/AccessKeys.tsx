/** A user's access keys. A secret is shown once, when it is made. */

import { useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { notify } from '../../../app/notifications.ts';
import { useSignIn } from '../../../sign-in/state.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { accessKeysOf } from '../iam.ts';
import { ConfirmDelete } from '../../../ui/forms/ConfirmDelete.tsx';
import { CopyBlock } from '../../../ui/code/CopyBlock.tsx';
import { CopyText } from '../../../ui/code/CopyText.tsx';
import { FormModal } from '../../../ui/forms/FormModal.tsx';
import { Listing } from '../../../ui/table/Listing.tsx';
import { reported } from '../../../ui/forms/reported.ts';
import { Time } from '../parts/Time.tsx';
import { useAction } from '../../../ui/forms/useAction.ts';

const texts = accessTexts.credentials.keys;

interface Key {
  readonly id: string;
  readonly isActive: boolean;
  readonly createdAt: number | undefined;
  readonly lastUsed: iam.AccessKeyLastUsed | undefined;
}

export function AccessKeys({ userName }: { readonly userName: string }) {
  const keys = useResource((signal) => load(userName, signal), [userName]);
  const [isAsking, setIsAsking] = useState(false);
  const [created, setCreated] = useState<iam.AccessKey>();
  const [deleted, setDeleted] = useState<string>();
  const toggle = async ({ id, isActive }: Key) => {
    const Status = isActive ? 'Inactive' : 'Active';
    if (await reported(call(iam.UpdateAccessKey, { UserName: userName, AccessKeyId: id, Status }))) {
      notify({ type: 'success', header: isActive ? texts.switchedOff(id) : texts.switchedOn(id) });
    }
    keys.reload();
  };
  return (
    <>
      <Listing
        title={texts.title}
        description={texts.description}
        things={texts.title.toLowerCase()}
        variant="container"
        resource={keys}
        keyOf={({ id }) => id}
        textOf={({ id }) => id}
        columns={[
          { id: 'id', header: texts.id, isRowHeader: true, sortBy: ({ id }) => id, cell: ({ id }) => <CopyText text={id} /> },
          {
            id: 'status',
            header: texts.status,
            cell: ({ isActive }) => (
              <StatusIndicator type={isActive ? 'success' : 'stopped'}>{isActive ? texts.active : texts.inactive}</StatusIndicator>
            ),
          },
          {
            id: 'created',
            header: accessTexts.created,
            cell: ({ createdAt }) => <Time seconds={createdAt} absent={accessTexts.unknown} />,
          },
          { id: 'used', header: accessTexts.lastUsed, cell: ({ lastUsed }) => <LastUsed lastUsed={lastUsed} /> },
          {
            id: 'actions',
            header: partTexts.list.actions,
            cell: (key) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button
                  variant="inline-link"
                  ariaLabel={`${key.isActive ? texts.switchOff : texts.switchOn} ${key.id}`}
                  onClick={() => void toggle(key)}
                >
                  {key.isActive ? texts.switchOff : texts.switchOn}
                </Button>
                <Button
                  variant="inline-link"
                  ariaLabel={`${partTexts.remove.confirm} ${key.id}`}
                  onClick={() => setDeleted(key.id)}
                >
                  {partTexts.remove.confirm}
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
        empty={{ title: texts.empty, body: texts.emptyBody }}
        actions={<Button onClick={() => setIsAsking(true)}>{texts.create}</Button>}
      />
      {isAsking && (
        <CreateKey
          userName={userName}
          onCreated={(key) => {
            setIsAsking(false);
            setCreated(key);
            keys.reload();
          }}
          onClose={() => setIsAsking(false)}
        />
      )}
      {created && <CreatedKey created={created} onClose={() => setCreated(undefined)} />}
      {deleted !== undefined && (
        <ConfirmDelete
          kind={texts.id}
          name={deleted}
          consequences={accessTexts.remove.key}
          onDelete={async () => void (await call(iam.DeleteAccessKey, { UserName: userName, AccessKeyId: deleted }))}
          onDone={() => {
            setDeleted(undefined);
            keys.reload();
          }}
          onClose={() => setDeleted(undefined)}
        />
      )}
    </>
  );
}

/** The keys, each with its last use. Who may list keys and not ask for that sees them all the same. */
async function load(userName: string, signal: AbortSignal): Promise<readonly Key[]> {
  const keys = await accessKeysOf(userName, signal);
  return Promise.all(
    keys.map(async ({ AccessKeyId = '', Status, CreateDate }) => {
      const used = await call(iam.GetAccessKeyLastUsed, { AccessKeyId }, signal).catch(() => undefined);
      return { id: AccessKeyId, isActive: Status === 'Active', createdAt: CreateDate, lastUsed: used?.AccessKeyLastUsed };
    }),
  );
}

function LastUsed({ lastUsed }: { readonly lastUsed: iam.AccessKeyLastUsed | undefined }) {
  if (lastUsed?.LastUsedDate === undefined) {
    return accessTexts.never;
  }
  return (
    <>
      <Time seconds={lastUsed.LastUsedDate} absent={accessTexts.never} />
      <Box variant="small">{visibleLine(texts.usedFor(lastUsed.ServiceName, lastUsed.Region))}</Box>
    </>
  );
}

interface CreateProps {
  readonly userName: string;
  readonly onCreated: (key: iam.AccessKey) => void;
  readonly onClose: () => void;
}

function CreateKey({ userName, onCreated, onClose }: CreateProps) {
  const action = useAction();
  const create = () =>
    action.run(async () => onCreated((await call(iam.CreateAccessKey, { UserName: userName })).AccessKey));
  return (
    <FormModal title={texts.create} submitText={texts.create} action={action} onSubmit={() => void create()} onClose={onClose}>
      <Box>{texts.createQuestion(visibleLine(userName))}</Box>
    </FormModal>
  );
}

interface CreatedProps {
  readonly created: iam.AccessKey;
  readonly onClose: () => void;
}

function CreatedKey({ created, onClose }: CreatedProps) {
  const { region, publicUrl } = useSignIn();
  const profile = [
    '[profile postern]',
    `aws_access_key_id = ${created.AccessKeyId}`,
    `aws_secret_access_key = ${created.SecretAccessKey}`,
    `region = ${region}`,
    `endpoint_url = ${publicUrl}`,
  ].join('\n');
  return (
    <Modal
      visible
      size="large"
      header={texts.created}
      closeAriaLabel={partTexts.forms.close}
      // A click beside it must not lose the secret.
      onDismiss={({ detail }) => detail.reason !== 'overlay' && onClose()}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={onClose}>
            {texts.done}
          </Button>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Alert type="warning">{texts.once}</Alert>
        <KeyValuePairs
          items={[
            { label: texts.id, value: <CopyText text={created.AccessKeyId} /> },
            { label: texts.secret, value: <CopyText text={created.SecretAccessKey} /> },
          ]}
        />
        <FormField label={texts.profile} description="~/.aws/config">
          <CopyBlock text={profile} label={texts.profile} />
        </FormField>
      </SpaceBetween>
    </Modal>
  );
}
