/** The list of what others have made, which the build writes (build/licences.ts). */

import { send } from '../../api/http.ts';

export interface ThirdParty {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly licence: string;
  readonly part: 'console' | 'server';
  readonly text: string | undefined;
}

/** As the file has it: packages often share one text. */
interface File {
  readonly packages: readonly (Omit<ThirdParty, 'text'> & { readonly text: number | null })[];
  readonly texts: readonly string[];
}

/** Nothing if the console was not built for release. */
export async function thirdParties(signal: AbortSignal): Promise<readonly ThirdParty[]> {
  const answer = await send({ method: 'GET', path: `${import.meta.env.BASE_URL}third-party.json`, signal });
  const file = parsed(answer.text);
  return (file?.packages ?? []).map(({ name, version, licence, part, text }) => ({
    name,
    version,
    licence,
    part,
    text: text === null ? undefined : file?.texts[text],
  }));
}

/** A server without the file answers with the page. */
function parsed(text: string): File | undefined {
  try {
    return JSON.parse(text) as File;
  } catch {
    return undefined;
  }
}
