/** Deleting somebody with all that is theirs: IAM itself refuses while there is anything left. */

import { all, call } from '../../api/call.ts';
import * as iam from '../../api/generated/iam.ts';
import { ApiError } from '../../api/errors.ts';
import { removeMfaDevice } from './credentials/removeMfaDevice.ts';
import { attachedPolicies, deleteInlinePolicy, detachPolicy, inlinePolicies, type Holder } from './holder.ts';
import { accessKeysOf, groupsOf, membersOf, mfaDevicesOf } from './iam.ts';

export async function deleteUser(name: string): Promise<void> {
  for (const key of await accessKeysOf(name)) {
    await call(iam.DeleteAccessKey, { UserName: name, AccessKeyId: key.AccessKeyId ?? '' });
  }
  await unlessMissing(call(iam.DeleteLoginProfile, { UserName: name }));
  for (const device of await mfaDevicesOf(name)) {
    await removeMfaDevice(name, device.SerialNumber);
  }
  for (const group of await groupsOf(name)) {
    await call(iam.RemoveUserFromGroup, { UserName: name, GroupName: group.GroupName });
  }
  await releasePolicies({ kind: 'user', name });
  await call(iam.DeleteUser, { UserName: name });
}

export async function deleteGroup(name: string): Promise<void> {
  for (const user of await membersOf(name)) {
    await call(iam.RemoveUserFromGroup, { UserName: user.UserName, GroupName: name });
  }
  await releasePolicies({ kind: 'group', name });
  await call(iam.DeleteGroup, { GroupName: name });
}

export async function deleteRole(name: string): Promise<void> {
  const profiles = await all(iam.ListInstanceProfilesForRole, { RoleName: name }, (page) => page.InstanceProfiles);
  for (const profile of profiles) {
    await call(iam.RemoveRoleFromInstanceProfile, { RoleName: name, InstanceProfileName: profile.InstanceProfileName });
  }
  await releasePolicies({ kind: 'role', name });
  await call(iam.DeleteRole, { RoleName: name });
}

/** The policy with its versions. It must not be attached to anybody. */
export async function deletePolicy(arn: string): Promise<void> {
  const versions = await all(iam.ListPolicyVersions, { PolicyArn: arn }, (page) => page.Versions);
  for (const version of versions.filter(({ IsDefaultVersion }) => !IsDefaultVersion)) {
    await call(iam.DeletePolicyVersion, { PolicyArn: arn, VersionId: version.VersionId ?? '' });
  }
  await call(iam.DeletePolicy, { PolicyArn: arn });
}

async function releasePolicies(holder: Holder): Promise<void> {
  for (const policy of await attachedPolicies(holder)) {
    await detachPolicy(holder, policy.PolicyArn ?? '');
  }
  for (const policy of await inlinePolicies(holder)) {
    await deleteInlinePolicy(holder, policy);
  }
}

/** `NoSuchEntity` is what was wanted. */
async function unlessMissing(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 'NoSuchEntity')) {
      throw error;
    }
  }
}
