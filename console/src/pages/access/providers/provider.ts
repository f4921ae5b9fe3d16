/** OIDC providers, as the pages show them. */

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { issuerOf } from '../paths.ts';

export interface ProviderEntry {
  readonly arn: string;
  readonly issuer: string;
}

export async function providers(signal?: AbortSignal): Promise<readonly ProviderEntry[]> {
  const { OpenIDConnectProviderList = [] } = await call(iam.ListOpenIDConnectProviders, {}, signal);
  return OpenIDConnectProviderList.map(({ Arn: arn = '' }) => ({ arn, issuer: issuerOf(arn) }));
}

/** One a line, as people paste them. */
export function linesOf(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,]+/).filter((line) => line !== ''))];
}

/** Adds and removes what makes the client ids these. */
export async function changeClientIds(arn: string, before: readonly string[], after: readonly string[]): Promise<void> {
  for (const ClientID of after.filter((id) => !before.includes(id))) {
    await call(iam.AddClientIDToOpenIDConnectProvider, { OpenIDConnectProviderArn: arn, ClientID });
  }
  for (const ClientID of before.filter((id) => !after.includes(id))) {
    await call(iam.RemoveClientIDFromOpenIDConnectProvider, { OpenIDConnectProviderArn: arn, ClientID });
  }
}
