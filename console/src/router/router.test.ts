import { afterEach, expect, test, vi } from 'vitest';

import { followLinks, here, href, location, navigate, replaceQuery } from './location.ts';
import { matchPattern, pathOf } from './route.ts';

test.each([
  ['/nodes', '/nodes', {}],
  ['/nodes', '/nodes/', {}],
  ['/nodes/:nodeId', '/nodes/mi-1', { nodeId: 'mi-1' }],
  ['/nodes/:nodeId', '/nodes', undefined],
  ['/nodes/add', '/nodes/mi-1', undefined],
  ['/documents/:name', '/documents/a%2Fb%20c', { name: 'a/b c' }],
  ['/documents/:name', '/documents/%', undefined],
])('%s and %s', (pattern, path, parameters) => {
  expect(matchPattern(pattern, path)).toEqual(parameters);
});

test('a path is made of what it is read into', () => {
  const path = pathOf('/documents/:name/x', { name: 'a/b #?' });
  expect(path).toBe('/documents/a%2Fb%20%23%3F/x');
  expect(matchPattern('/documents/:name/x', path)).toEqual({ name: 'a/b #?' });
});

test('the address is the state', () => {
  navigate('/nodes?a=1#x');
  expect(location().path).toBe('/nodes');
  expect(location().fragment).toBe('x');
  replaceQuery(new URLSearchParams({ b: '2 3' }));
  expect(here()).toBe('/nodes?b=2+3#x');
});

afterEach(() => {
  document.body.replaceChildren();
});

test.each([
  ['a page of the console', { href: '/console/sessions' }, true],
  ['an endpoint of the server', { href: '/console/api/oidc/corp/start' }, false],
  ['something else of the server', { href: '/elsewhere' }, false],
  ['another host', { href: 'https://example.com/console/nodes' }, false],
  ['a new tab', { href: '/console/sessions', target: '_blank' }, false],
  ['a download', { href: '/console/sessions', download: 'x' }, false],
])('a click on a link to %s', (_, attributes, isFollowed) => {
  const gone = new AbortController();
  followLinks(gone.signal);
  navigate('/nodes');
  const link = document.createElement('a');
  Object.entries(attributes).forEach(([name, value]) => link.setAttribute(name, value));
  document.body.append(link);
  const prevented = vi.fn((event: Event) => event.preventDefault());
  window.addEventListener('click', prevented, { once: true });
  link.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
  gone.abort();
  expect(location().path).toBe(isFollowed ? '/sessions' : '/nodes');
});

test('links carry the base', () => {
  expect(href('/nodes')).toBe('/console/nodes');
});
