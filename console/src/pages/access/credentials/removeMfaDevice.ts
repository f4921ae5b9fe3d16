/** Taking an MFA device from a user. */

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';

/** Whether it is a passkey, of which nothing is left once it is deactivated. Source: "IAM identifiers", IAM User Guide. */
export function isPasskey(serialNumber: string): boolean {
  return /^arn:[^:]*:iam::\d*:u2f\//.test(serialNumber);
}

/** Deactivates the device; the seed of an authenticator app is deleted as well. */
export async function removeMfaDevice(userName: string, serialNumber: string): Promise<void> {
  await call(iam.DeactivateMFADevice, { UserName: userName, SerialNumber: serialNumber });
  if (!isPasskey(serialNumber)) {
    await call(iam.DeleteVirtualMFADevice, { SerialNumber: serialNumber });
  }
}
