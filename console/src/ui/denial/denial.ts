/** What AWS's message of a denied call says. */

/** Who may not do what, to what, and why. */
export interface Denial {
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  /** As AWS's messages end: `because no identity-based policy allows the … action`. */
  readonly reason: string;
}

/** Takes the message apart (`Decision::denial` of crates/iam); nothing if it is another one. */
export function parseDenial(message: string): Denial | undefined {
  const found = /^User: (\S+) is not authorized to perform: (\S+) on resource: (\S+) (because .+|with .+)$/s.exec(message);
  if (!found) {
    return undefined;
  }
  const [, principal = '', action = '', resource = '', reason = ''] = found;
  return { principal, action, resource, reason };
}

/** Whose policies decide for a caller: of a role's session those of the role. Nothing if they cannot be simulated. */
export function policySourceOf(principal: string): string | undefined {
  const session = /^arn:aws:sts::(\d{12}):assumed-role\/([^/]+)\/.+$/.exec(principal);
  if (session) {
    return `arn:aws:iam::${session[1]}:role/${session[2]}`;
  }
  return /^arn:aws:iam::\d{12}:(user|role)\//.test(principal) ? principal : undefined;
}
