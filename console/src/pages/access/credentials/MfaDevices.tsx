/** A user's authenticator apps and passkeys. */

import { useState } from 'react';

import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';

import type * as iam from '../../../api/generated/iam.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { mfaDevicesOf } from '../iam.ts';
import { ConfirmAction } from '../../../ui/forms/ConfirmAction.tsx';
import { Listing } from '../../../ui/table/Listing.tsx';
import { Time } from '../parts/Time.tsx';
import { AddMfaDevice } from './AddMfaDevice.tsx';
import { isPasskey, removeMfaDevice } from './removeMfaDevice.ts';

const texts = accessTexts.credentials.mfa;

export function MfaDevices({ userName }: { readonly userName: string }) {
  const devices = useResource((signal) => mfaDevicesOf(userName, signal), [userName]);
  const [isAdding, setIsAdding] = useState(false);
  const [removed, setRemoved] = useState<iam.MFADevice>();
  return (
    <>
      <Listing
        title={texts.title}
        description={texts.description}
        things={texts.title}
        variant="container"
        resource={devices}
        keyOf={({ SerialNumber }) => SerialNumber}
        textOf={({ SerialNumber }) => SerialNumber}
        columns={[
          {
            id: 'serial',
            header: texts.serial,
            isRowHeader: true,
            sortBy: ({ SerialNumber }) => SerialNumber,
            cell: ({ SerialNumber }) => (
              <SpaceBetween direction="horizontal" size="xs">
                {visibleLine(SerialNumber)}
                {isPasskey(SerialNumber) && <Badge>{texts.passkey}</Badge>}
              </SpaceBetween>
            ),
          },
          {
            id: 'enabled',
            header: texts.enabled,
            cell: ({ EnableDate }) => <Time seconds={EnableDate} absent={accessTexts.unknown} />,
          },
          {
            id: 'actions',
            header: partTexts.list.actions,
            cell: (device) => (
              <Button
                variant="inline-link"
                ariaLabel={`${texts.deactivate} ${visibleLine(device.SerialNumber)}`}
                onClick={() => setRemoved(device)}
              >
                {texts.deactivate}
              </Button>
            ),
          },
        ]}
        empty={{ title: texts.empty, body: texts.emptyBody }}
        actions={<Button onClick={() => setIsAdding(true)}>{texts.add}</Button>}
      />
      {isAdding && <AddMfaDevice userName={userName} onDone={devices.reload} onClose={() => setIsAdding(false)} />}
      {removed && (
        <ConfirmAction
          title={texts.deactivate}
          body={isPasskey(removed.SerialNumber) ? texts.removePasskeyBody : texts.removeBody}
          confirmText={texts.deactivate}
          doneText={texts.deactivated}
          onConfirm={() => removeMfaDevice(userName, removed.SerialNumber)}
          onDone={() => {
            setRemoved(undefined);
            devices.reload();
          }}
          onClose={() => setRemoved(undefined)}
        />
      )}
    </>
  );
}
