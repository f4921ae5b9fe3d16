/** Makes a virtual MFA device and enables it: a name, the picture for the app, two codes of it. */

import { useState } from 'react';

import Box from '@cloudscape-design/components/box';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';

import '../parts/access.css';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { notify } from '../../../app/notifications.ts';
import { accessTexts } from '../../../texts/access.ts';
import { CopyText } from '../../../ui/code/CopyText.tsx';
import { FormModal } from '../../../ui/forms/FormModal.tsx';
import { useAction } from '../../../ui/forms/useAction.ts';

const texts = accessTexts.credentials.mfa;
const CODE = /^\d{6}$/;

interface Props {
  readonly userName: string;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function AddMfaDevice({ userName, onDone, onClose }: Props) {
  const [device, setDevice] = useState<iam.VirtualMFADevice>();
  const abandon = () => {
    onClose();
    if (device) {
      // Nobody can use a device whose seed is not shown again. If this fails it stays, without a user.
      call(iam.DeleteVirtualMFADevice, { SerialNumber: device.SerialNumber }).catch(() => undefined);
    }
  };
  return device ? (
    <EnableDevice userName={userName} device={device} onDone={onDone} onEnabled={onClose} onClose={abandon} />
  ) : (
    <NameDevice userName={userName} onCreated={setDevice} onClose={onClose} />
  );
}

interface NameProps {
  readonly userName: string;
  readonly onCreated: (device: iam.VirtualMFADevice) => void;
  readonly onClose: () => void;
}

function NameDevice({ userName, onCreated, onClose }: NameProps) {
  const [name, setName] = useState(userName);
  const action = useAction();
  const create = () =>
    action.run(async () => {
      const { VirtualMFADevice } = await call(iam.CreateVirtualMFADevice, { VirtualMFADeviceName: name });
      onCreated(VirtualMFADevice);
    });
  return (
    <FormModal
      title={texts.add}
      submitText={texts.next}
      action={action}
      isReady={name !== ''}
      onSubmit={() => void create()}
      onClose={onClose}
    >
      <FormField label={texts.nameLabel} constraintText={texts.nameHint}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus autoComplete={false} spellcheck={false} />
      </FormField>
    </FormModal>
  );
}

interface EnableProps {
  readonly userName: string;
  readonly device: iam.VirtualMFADevice;
  readonly onDone: () => void;
  readonly onEnabled: () => void;
  readonly onClose: () => void;
}

function EnableDevice({ userName, device, onDone, onEnabled, onClose }: EnableProps) {
  const [first, setFirst] = useState('');
  const [second, setSecond] = useState('');
  const action = useAction();
  const enable = async () => {
    const input = {
      UserName: userName,
      SerialNumber: device.SerialNumber,
      AuthenticationCode1: first,
      AuthenticationCode2: second,
    };
    if (await action.run(async () => void (await call(iam.EnableMFADevice, input)))) {
      notify({ type: 'success', header: texts.enabledDone });
      onEnabled();
      onDone();
    }
  };
  const isSame = CODE.test(second) && first === second;
  return (
    <FormModal
      title={texts.add}
      submitText={texts.enable}
      action={action}
      isReady={CODE.test(first) && CODE.test(second) && !isSame}
      onSubmit={() => void enable()}
      onClose={onClose}
    >
      <Box>{texts.scan}</Box>
      <Box textAlign="center">
        <img src={`data:image/png;base64,${device.QRCodePNG ?? ''}`} alt={texts.qr} className="mfa-qr" />
      </Box>
      <FormField label={texts.secret}>
        <CopyText text={seedOf(device)} />
      </FormField>
      <Box>{texts.codes}</Box>
      <ColumnLayout columns={2}>
        <CodeField label={texts.first} value={first} onChange={setFirst} />
        <CodeField label={texts.second} value={second} onChange={setSecond} error={isSame ? texts.same : undefined} />
      </ColumnLayout>
    </FormModal>
  );
}

interface CodeProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error?: string | undefined;
}

function CodeField({ label, value, onChange, error }: CodeProps) {
  const isBad = value.length > 6 || /\D/.test(value);
  return (
    <FormField label={label} errorText={isBad ? texts.codeBad : error}>
      <Input value={value} onChange={({ detail }) => onChange(detail.value.trim())} inputMode="numeric" autoComplete="one-time-code" />
    </FormField>
  );
}

/** The seed in base32; as every blob it comes in base64. */
function seedOf({ Base32StringSeed = '' }: iam.VirtualMFADevice): string {
  try {
    return atob(Base32StringSeed);
  } catch {
    return Base32StringSeed;
  }
}
