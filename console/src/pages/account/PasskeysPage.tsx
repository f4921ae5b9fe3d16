/** One's own passkeys. */

import { useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';

import { passkeys, removePasskey, type Passkey, type Passkeys } from '../../api/passkeys.ts';
import { arePasskeysHere } from '../../sign-in/passkey.ts';
import { useSignIn } from '../../sign-in/state.ts';
import { passkeyTexts as texts } from '../../texts/passkeys.ts';
import { partTexts } from '../../texts/parts.ts';
import { ConfirmAction } from '../../ui/forms/ConfirmAction.tsx';
import { useResource } from '../../ui/resource.ts';
import { Listing, type Column } from '../../ui/table/Listing.tsx';
import { Time } from '../../ui/Time.tsx';
import { visibleLine } from '../../ui/visible.ts';
import { AddPasskey } from './AddPasskey.tsx';
import { RenamePasskey } from './RenamePasskey.tsx';

type Open = { readonly kind: 'add' } | { readonly kind: 'rename' | 'remove'; readonly passkey: Passkey };

export default function PasskeysPage() {
  const { role, userName } = useSignIn();
  if (role !== null || userName === null) {
    return (
      <Alert type="info" header={texts.noPasskeys}>
        {role === null ? texts.unavailable.provider : texts.unavailable.role}
      </Alert>
    );
  }
  return <OwnPasskeys />;
}

function OwnPasskeys() {
  const { publicUrl } = useSignIn();
  const resource = useResource(passkeys, []);
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const done = () => {
    close();
    resource.reload();
  };
  const why = resource.value && whyNot(resource.value, publicUrl);
  const isFull = resource.value !== undefined && resource.value.passkeys.length >= resource.value.max;
  return (
    <SpaceBetween size="m">
      {why !== undefined && (
        <Alert type="info" header={texts.noPasskeys}>
          {why}
        </Alert>
      )}
      <Listing
        title={texts.title}
        description={texts.description}
        things={texts.things}
        variant="page"
        resource={{ ...resource, value: resource.value?.passkeys }}
        keyOf={({ id }) => id}
        textOf={({ name }) => name}
        columns={columns(setOpen)}
        empty={{ title: texts.empty, body: why === undefined ? texts.emptyBody : '' }}
        actions={
          <Button
            variant="primary"
            disabled={resource.value === undefined || why !== undefined || isFull}
            {...(isFull && { disabledReason: texts.tooMany(resource.value.max) })}
            onClick={() => setOpen({ kind: 'add' })}
          >
            {texts.add}
          </Button>
        }
      />
      {open?.kind === 'add' && <AddPasskey onDone={done} onClose={close} />}
      {open?.kind === 'rename' && <RenamePasskey passkey={open.passkey} onDone={done} onClose={close} />}
      {open?.kind === 'remove' && <RemovePasskey passkey={open.passkey} onDone={done} onClose={close} />}
    </SpaceBetween>
  );
}

function columns(open: (what: Open) => void): readonly Column<Passkey>[] {
  return [
    { id: 'name', header: texts.name, isRowHeader: true, sortBy: ({ name }) => name, cell: (passkey) => <Name passkey={passkey} /> },
    {
      id: 'made',
      header: texts.made,
      sortBy: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => <Time at={createdAt} />,
    },
    {
      id: 'last-used',
      header: texts.lastUsed,
      sortBy: ({ lastUsedAt }) => lastUsedAt ?? '',
      cell: ({ lastUsedAt }) => (lastUsedAt === null ? texts.never : <Time at={lastUsedAt} />),
    },
    { id: 'kept', header: texts.kept, cell: ({ isBackedUp }) => (isBackedUp ? texts.synced : texts.local) },
    {
      id: 'actions',
      header: partTexts.list.actions,
      cell: (passkey) => (
        <SpaceBetween direction="horizontal" size="s">
          <Button
            variant="inline-link"
            ariaLabel={texts.renameNamed(visibleLine(passkey.name))}
            onClick={() => open({ kind: 'rename', passkey })}
          >
            {texts.rename}
          </Button>
          <Button
            variant="inline-link"
            ariaLabel={texts.removeNamed(visibleLine(passkey.name))}
            onClick={() => open({ kind: 'remove', passkey })}
          >
            {texts.remove}
          </Button>
        </SpaceBetween>
      ),
    },
  ];
}

function Name({ passkey: { name, isUsable } }: { readonly passkey: Passkey }) {
  return (
    <>
      {visibleLine(name)}
      {!isUsable && (
        <div>
          <StatusIndicator type="warning">{texts.elsewhere}</StatusIndicator>
        </div>
      )}
    </>
  );
}

interface RemoveProps {
  readonly passkey: Passkey;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

function RemovePasskey({ passkey, onDone, onClose }: RemoveProps) {
  const name = visibleLine(passkey.name);
  return (
    <ConfirmAction
      title={texts.removeTitle(name)}
      body={texts.removeBody}
      confirmText={texts.remove}
      doneText={texts.removed(name)}
      onConfirm={() => removePasskey(passkey.id)}
      onDone={onDone}
      onClose={onClose}
    />
  );
}

/** Why none can be added here. */
function whyNot({ unavailable }: Passkeys, publicUrl: string): string | undefined {
  switch (unavailable) {
    case 'address':
      return texts.unavailable.address;
    case 'other-origin':
      return texts.unavailable['other-origin'](publicUrl);
    case null:
      return arePasskeysHere() ? undefined : texts.unavailable.browser;
  }
}
