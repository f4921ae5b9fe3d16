/** The actions that mean something here, and what can be said of an action in a policy without asking the server. */

/**
 * By service: the operations that are served (actions.test.ts holds them to crates/api/model), and the permissions that are no
 * operations (crates/server/src/auth/action.rs).
 */
export const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  cloudtrail: words(`
    DescribeTrails GetTrail GetTrailStatus ListPublicKeys ListTrails LookupEvents`),
  ec2messages: words(`
    AcknowledgeMessage FailMessage GetMessages SendReply`),
  iam: words(`
    AddClientIDToOpenIDConnectProvider AddRoleToInstanceProfile AddUserToGroup AttachGroupPolicy AttachRolePolicy
    AttachUserPolicy ChangePassword CreateAccessKey CreateGroup CreateInstanceProfile CreateLoginProfile
    CreateOpenIDConnectProvider CreatePolicy CreatePolicyVersion CreateRole CreateServiceLinkedRole CreateUser
    CreateVirtualMFADevice DeactivateMFADevice DeleteAccessKey DeleteGroup DeleteGroupPolicy DeleteInstanceProfile
    DeleteLoginProfile DeleteOpenIDConnectProvider DeletePolicy DeletePolicyVersion DeleteRole
    DeleteRolePermissionsBoundary DeleteRolePolicy DeleteUser DeleteUserPermissionsBoundary DeleteUserPolicy
    DeleteVirtualMFADevice DetachGroupPolicy DetachRolePolicy DetachUserPolicy EnableMFADevice GetAccessKeyLastUsed
    GetAccountAuthorizationDetails GetAccountPasswordPolicy GetAccountSummary GetGroup GetGroupPolicy
    GetInstanceProfile GetLoginProfile GetOpenIDConnectProvider GetPolicy GetPolicyVersion GetRole GetRolePolicy
    GetUser GetUserPolicy ListAccessKeys ListAccountAliases ListAttachedGroupPolicies ListAttachedRolePolicies
    ListAttachedUserPolicies ListEntitiesForPolicy ListGroupPolicies ListGroups ListGroupsForUser
    ListInstanceProfileTags ListInstanceProfiles ListInstanceProfilesForRole ListMFADeviceTags ListMFADevices
    ListOpenIDConnectProviderTags ListOpenIDConnectProviders ListPolicies ListPolicyTags ListPolicyVersions
    ListRolePolicies ListRoleTags ListRoles ListUserPolicies ListUserTags ListUsers ListVirtualMFADevices PassRole
    PutGroupPolicy PutRolePermissionsBoundary PutRolePolicy PutUserPermissionsBoundary PutUserPolicy
    RemoveClientIDFromOpenIDConnectProvider RemoveRoleFromInstanceProfile RemoveUserFromGroup ResyncMFADevice
    SetDefaultPolicyVersion SimulateCustomPolicy SimulatePrincipalPolicy TagInstanceProfile TagMFADevice
    TagOpenIDConnectProvider TagPolicy TagRole TagUser UntagInstanceProfile UntagMFADevice
    UntagOpenIDConnectProvider UntagPolicy UntagRole UntagUser UpdateAccessKey UpdateAssumeRolePolicy UpdateGroup
    UpdateLoginProfile UpdateOpenIDConnectProviderThumbprint UpdateRole UpdateRoleDescription UpdateUser`),
  kms: words(`
    CancelKeyDeletion CreateAlias CreateKey Decrypt DeleteAlias DescribeKey DisableKey
    DisableKeyRotation EnableKey EnableKeyRotation Encrypt GenerateDataKey
    GenerateDataKeyWithoutPlaintext GenerateRandom GetKeyPolicy GetKeyRotationStatus ListAliases
    ListKeyPolicies ListKeyRotations ListKeys ListResourceTags PutKeyPolicy ReEncryptFrom ReEncryptTo
    RotateKeyOnDemand ScheduleKeyDeletion TagResource UntagResource UpdateAlias UpdateKeyDescription`),
  logs: words(`
    AssociateKmsKey CreateLogGroup CreateLogStream DeleteLogGroup DeleteLogStream DeleteRetentionPolicy
    DescribeLogGroups DescribeLogStreams DisassociateKmsKey FilterLogEvents GetLogEvents
    ListTagsForResource ListTagsLogGroup PutLogEvents PutRetentionPolicy StartLiveTail TagLogGroup
    TagResource UntagLogGroup UntagResource`),
  postern: words(`
    AttachSession DeleteSessionRecording DescribeNodeConnections EndSignIn ExpireAuditRecords GetSessionRecording ListSessionRecordings
    ListSignIns RevokeSessions SearchSessionRecordings`),
  s3: words(`
    AbortMultipartUpload BypassGovernanceRetention CreateBucket DeleteBucket DeleteObject
    GetBucketLocation GetBucketObjectLockConfiguration GetBucketVersioning GetEncryptionConfiguration
    GetObject GetObjectRetention ListAllMyBuckets ListBucket ListBucketMultipartUploads
    ListBucketVersions ListMultipartUploadParts PutBucketObjectLockConfiguration PutBucketPolicy
    PutEncryptionConfiguration PutObject PutObjectAcl PutObjectRetention`),
  ssm: words(`
    AddTagsToResource CreateActivation CreateDocument DeleteActivation DeleteDocument
    DeregisterManagedInstance DescribeActivations DescribeDocument DescribeDocumentPermission
    DescribeInstanceInformation DescribeSessions GetConnectionStatus GetDocument ListDocumentVersions
    ListDocuments ListInstanceAssociations ListTagsForResource ModifyDocumentPermission
    PutComplianceItems PutInventory RegisterManagedInstance RemoveTagsFromResource
    RequestManagedInstanceRoleToken ResumeSession StartSession TerminateSession UpdateDocument
    UpdateDocumentDefaultVersion UpdateInstanceAssociationStatus UpdateInstanceInformation
    UpdateManagedInstancePublicKey UpdateManagedInstanceRole`),
  ssmmessages: words(`
    CreateControlChannel CreateDataChannel OpenControlChannel OpenDataChannel`),
  sts: words(`
    AssumeRole AssumeRoleWithWebIdentity GetCallerIdentity GetSessionToken SetSourceIdentity TagSession`),
};

/** Every action, as policies write it. */
export function allActions(): string[] {
  return Object.entries(ACTIONS).flatMap(([service, names]) => names.map((name) => `${service}:${name}`));
}

/**
 * What is doubtful about an action in a policy; nothing if it means something here. What has not the form of an action is the
 * server's to refuse.
 */
export function doubtOfAction(action: string): string | undefined {
  const [, service, name] = /^([A-Za-z0-9-]+):([A-Za-z0-9*?._-]+)$/.exec(action) ?? [];
  if (service === undefined || name === undefined) {
    return undefined;
  }
  const known = ACTIONS[service.toLowerCase()];
  if (known === undefined) {
    return `Postern has no service ${service}: this action has no effect here.`;
  }
  if (known.some((candidate) => matches(name, candidate))) {
    return undefined;
  }
  const near = nearest(name, known);
  const hint = near === undefined ? '' : ` Did you mean ${service.toLowerCase()}:${near}?`;
  return `Postern knows no action ${action}: it has no effect here.${hint}`;
}

/** Whether a pattern with `*` and `?` is about a name, whatever the case of letters. */
function matches(pattern: string, name: string): boolean {
  const escaped = pattern.replace(/[.\\+^${}()|[\]-]/g, '\\$&');
  // Runs of `*` are one, so that no pattern takes long.
  const source = escaped.replace(/\*+/g, '.*').replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 'i').test(name);
}

/** The name that was probably meant: at most two letters from it, or one in another form. */
function nearest(name: string, known: readonly string[]): string | undefined {
  if (/[*?]/.test(name)) {
    return undefined;
  }
  const distances = known.map((candidate) => ({ candidate, far: distance(name.toLowerCase(), candidate.toLowerCase()) }));
  return distances.filter(({ far }) => far <= 2).sort((a, b) => a.far - b.far)[0]?.candidate;
}

/** How many letters are added, left out or exchanged (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const exchanged = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, exchanged));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
