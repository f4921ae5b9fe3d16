/** A user's authenticator apps. */

import { useState } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { mfaDevicesOf } from '../iam.ts';
import { ConfirmAction } from '../../../ui/forms/ConfirmAction.tsx';
import { Listing } from '../../../ui/table/Listing.tsx';
import { Time } from '../parts/Time.tsx';
import { AddMfaDevice } from './AddMfaDevice.tsx';

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
            cell: ({ SerialNumber }) => <Box variant="span">{visibleLine(SerialNumber)}</Box>,
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
          body={texts.removeBody}
          confirmText={texts.deactivate}
          doneText={texts.deactivated}
          onConfirm={async () => {
            await call(iam.DeactivateMFADevice, { UserName: userName, SerialNumber: removed.SerialNumber });
            await call(iam.DeleteVirtualMFADevice, { SerialNumber: removed.SerialNumber });
          }}
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
