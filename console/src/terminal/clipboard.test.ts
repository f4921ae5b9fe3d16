import { expect, test, vi } from 'vitest';

import { copySelection } from './clipboard.ts';

test('nothing selected leaves the clipboard alone', async () => {
  const writeText = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
  await copySelection('');
  expect(writeText).not.toHaveBeenCalled();
  await copySelection('ls');
  expect(writeText.mock.calls).toEqual([['ls']]);
});
