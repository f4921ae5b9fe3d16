import { expect, it } from 'vitest';

import { versionToDrop } from './policy.ts';

function versions(...names: string[]) {
  return names.map((name) => ({ VersionId: name.replace('*', ''), IsDefaultVersion: name.endsWith('*') }));
}

it.each([
  ['while there is room, none', versions('v3', 'v2*', 'v1'), undefined],
  ['the oldest', versions('v12', 'v11', 'v10*', 'v9', 'v8'), 'v8'],
  ['not the one in force', versions('v10', 'v9', 'v4', 'v3', 'v2*'), 'v3'],
])('of a full policy goes %s', (_, given, expected) => {
  expect(versionToDrop(given)).toBe(expected);
});
