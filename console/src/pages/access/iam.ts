/** Lists of IAM, whole: AWS hands them out in pages, and the tables here filter and sort all of it. */

import { all } from '../../api/call.ts';
import * as iam from '../../api/generated/iam.ts';

export function users(signal?: AbortSignal): Promise<readonly iam.User[]> {
  return all(iam.ListUsers, {}, (page) => page.Users, signal);
}

export function groups(signal?: AbortSignal): Promise<readonly iam.Group[]> {
  return all(iam.ListGroups, {}, (page) => page.Groups, signal);
}

export function roles(signal?: AbortSignal): Promise<readonly iam.Role[]> {
  return all(iam.ListRoles, {}, (page) => page.Roles, signal);
}

export function policies(signal?: AbortSignal): Promise<readonly iam.Policy[]> {
  return all(iam.ListPolicies, { Scope: 'All' }, (page) => page.Policies, signal);
}

export function groupsOf(userName: string, signal?: AbortSignal): Promise<readonly iam.Group[]> {
  return all(iam.ListGroupsForUser, { UserName: userName }, (page) => page.Groups, signal);
}

export function membersOf(groupName: string, signal?: AbortSignal): Promise<readonly iam.User[]> {
  return all(iam.GetGroup, { GroupName: groupName }, (page) => page.Users, signal);
}

export function accessKeysOf(userName: string, signal?: AbortSignal): Promise<readonly iam.AccessKeyMetadata[]> {
  return all(iam.ListAccessKeys, { UserName: userName }, (page) => page.AccessKeyMetadata, signal);
}

export function mfaDevicesOf(userName: string, signal?: AbortSignal): Promise<readonly iam.MFADevice[]> {
  return all(iam.ListMFADevices, { UserName: userName }, (page) => page.MFADevices, signal);
}

/** A document as answers carry it: with percent signs (RFC 3986). */
export function decodedDocument(document: string | undefined): string {
  try {
    return decodeURIComponent(document ?? '');
  } catch {
    return document ?? '';
  }
}

/** Whether a policy is one of AWS's, which nobody can change. */
export function isOfAws(policyArn: string): boolean {
  return policyArn.startsWith('arn:aws:iam::aws:');
}
