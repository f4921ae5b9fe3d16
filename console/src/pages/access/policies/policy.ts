/** A managed policy with the documents of its versions. */

import { all, call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { decodedDocument } from '../iam.ts';

/** How many versions a policy may have. Source: "IAM and STS quotas" in the IAM User Guide. */
export const VERSIONS_MAX = 5;

/** The document of a version; of the one in force without `versionId`. */
export async function policyDocument(arn: string, versionId: string | undefined, signal?: AbortSignal): Promise<string> {
  const version = versionId ?? (await policyOf(arn, signal)).DefaultVersionId ?? 'v1';
  const { PolicyVersion } = await call(iam.GetPolicyVersion, { PolicyArn: arn, VersionId: version }, signal);
  return decodedDocument(PolicyVersion?.Document);
}

export async function policyOf(arn: string, signal?: AbortSignal): Promise<iam.Policy> {
  return (await call(iam.GetPolicy, { PolicyArn: arn }, signal)).Policy ?? {};
}

/** The newest first. */
export async function versionsOf(arn: string, signal?: AbortSignal): Promise<readonly iam.PolicyVersion[]> {
  const versions = await all(iam.ListPolicyVersions, { PolicyArn: arn }, (page) => page.Versions, signal);
  return [...versions].sort((a, b) => numberOf(b) - numberOf(a));
}

/** Which version has to go before another one can be made; nothing while there is room. */
export function versionToDrop(versions: readonly iam.PolicyVersion[]): string | undefined {
  if (versions.length < VERSIONS_MAX) {
    return undefined;
  }
  const others = versions.filter(({ IsDefaultVersion }) => !IsDefaultVersion);
  return [...others].sort((a, b) => numberOf(a) - numberOf(b))[0]?.VersionId;
}

function numberOf({ VersionId = '' }: iam.PolicyVersion): number {
  return Number(VersionId.replace(/^v/, ''));
}
