/** Whom a trust policy names, in short. */

import { member, parseJson, type Node } from '../policy/json.ts';

/** Users, roles, accounts, services and providers that a statement allows, each once; nothing if the text is no policy. */
export function trustedBy(document: string): string[] {
  const parsed = parseJson(document);
  if (!parsed.ok) {
    return [];
  }
  const statements = listed(member(parsed.root, 'Statement'));
  const allowing = statements.filter((statement) => textOf(member(statement, 'Effect')) === 'Allow');
  return [...new Set(allowing.flatMap((statement) => named(member(statement, 'Principal'))))];
}

function named(principal: Node | undefined): string[] {
  if (principal?.kind === 'string') {
    return [principal.text];
  }
  const kinds = principal?.kind === 'object' ? principal.members : [];
  return kinds.flatMap(({ node }) => listed(node).map((item) => shortened(textOf(item))));
}

/** `user/alice` of a user's ARN; what is no ARN as it is. */
function shortened(text: string): string {
  const [, resource] = /^arn:[^:]*:[^:]*:[^:]*:[^:]*:(.+)$/.exec(text) ?? [];
  const account = text.split(':')[4];
  return resource === 'root' && account !== undefined ? account : (resource ?? text);
}

function listed(node: Node | undefined): Node[] {
  if (node === undefined) {
    return [];
  }
  return node.kind === 'array' ? node.items : [node];
}

function textOf(node: Node | undefined): string {
  return node?.kind === 'string' ? node.text : '';
}
