/** Policies to begin with. */

import { accessTexts } from '../../../texts/access.ts';

export interface Example {
  readonly id: string;
  readonly name: string;
  readonly document: string;
}

const texts = accessTexts.editor.examples;

/** For users, groups and roles. */
export const EXAMPLES: readonly Example[] = [
  {
    id: 'shells',
    name: texts.shells,
    document: written(
      allow('ssm:StartSession', 'arn:aws:ssm:*:*:managed-instance/*', { StringEquals: { 'ssm:resourceTag/env': 'dev' } }),
      allow('ssm:StartSession', 'arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell'),
      allow(['ssm:TerminateSession', 'ssm:ResumeSession', 'ssmmessages:OpenDataChannel'], 'arn:aws:ssm:*:*:session/${aws:userid}-*'),
    ),
  },
  {
    id: 'own',
    name: texts.own,
    document: written(
      allow(['ssm:TerminateSession', 'ssm:ResumeSession'], '*', {
        StringEquals: { 'ssm:resourceTag/aws:ssmmessages:session-id': '${aws:userid}' },
      }),
    ),
  },
  {
    id: 'mfa',
    name: texts.mfa,
    document: written({
      Effect: 'Deny',
      NotAction: ['iam:ListMFADevices', 'iam:EnableMFADevice', 'iam:CreateVirtualMFADevice', 'sts:GetSessionToken'],
      Resource: '*',
      Condition: { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } },
    }),
  },
  {
    id: 'audit',
    name: texts.audit,
    document: written(allow(['cloudtrail:LookupEvents', 'cloudtrail:Describe*', 'cloudtrail:Get*', 'cloudtrail:List*'], '*')),
  },
];

/** For roles: who may take them on. */
export function trustExamples(accountId: string): readonly Example[] {
  const names = accessTexts.roles.templates;
  const account = { AWS: `arn:aws:iam::${accountId}:root` };
  const trust = (principal: object, condition?: object) =>
    written({ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole', ...(condition && { Condition: condition }) });
  return [
    { id: 'account', name: names.account, document: trust(account) },
    { id: 'account-mfa', name: names.accountMfa, document: trust(account, { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }) },
    { id: 'nodes', name: names.nodes, document: trust({ Service: 'ssm.amazonaws.com' }) },
  ];
}

function allow(action: string | string[], resource: string, condition?: object): object {
  return { Effect: 'Allow', Action: action, Resource: resource, ...(condition && { Condition: condition }) };
}

function written(...statements: object[]): string {
  return formatted(JSON.stringify({ Version: '2012-10-17', Statement: statements })) ?? '';
}

/** The document with one member a line; nothing if it is no JSON. Repeated names would be lost, so those are no JSON either. */
export function formatted(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}
