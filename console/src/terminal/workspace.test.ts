import { expect, test } from 'vitest';

import { pathOfWorkspace, readWorkspace, replaced, withPane, withTab, without, type Workspace } from './workspace.ts';

const read = (query: string) => readWorkspace(new URLSearchParams(query));

test('the address is read into what it was made of', () => {
  const workspace: Workspace = {
    tabs: [
      { direction: 'row', sessionIds: ['alice-0a1'] },
      { direction: 'row', sessionIds: ['a+b@c,d=e-1', 'x_y.z-2'] },
      { direction: 'column', sessionIds: ['alice-3', 'alice-4'] },
    ],
    active: 1,
  };
  const path = pathOfWorkspace(workspace);
  expect(readWorkspace(new URL(path, 'https://server').searchParams)).toEqual(workspace);
});

test.each([
  ['', 0],
  ['session=', 0],
  ['session=<img>', 0],
  ['session=a&session=a', 1],
  [`session=${'a'.repeat(97)}`, 0],
  [Array.from({ length: 50 }, (_, index) => `session=s-${index}`).join('&'), 12],
])('%s', (query, tabs) => {
  expect(read(query).tabs).toHaveLength(tabs);
});

test.each([['at=1', 0], ['at=-1', 0], ['at=x', 0]])('an active tab that is not there is the first: %s', (at, active) => {
  expect(read(`session=a&${at}`).active).toBe(active);
});

test('panes and tabs come and go', () => {
  const one = withTab({ tabs: [], active: 0 }, 'a');
  const two = withPane(one, 'b', 'column');
  expect(pathOfWorkspace(two)).toBe('/terminal?session=a%7Eb');
  expect(withPane(two, 'c', 'row').tabs[0]?.direction).toBe('column');
  expect(without(without(two, 'a'), 'b')).toEqual({ tabs: [], active: 0 });
  expect(pathOfWorkspace(replaced(withTab(one, 'b'), 'b', 'c'))).toBe('/terminal?session=a&session=c&at=1');
});
