import { describe, expect, it } from 'vitest';

import { issuerOf } from '../paths.ts';
import { linesOf } from './provider.ts';

describe('OIDC providers', () => {
  it('are named by their issuers', () => {
    expect(issuerOf('arn:aws:iam::000000000000:oidc-provider/login.example.com/tenant')).toBe('login.example.com/tenant');
  });

  it('are given lists as people paste them, each item once', () => {
    expect(linesOf(' one\ntwo, three\r\n\none ')).toEqual(['one', 'two', 'three']);
    expect(linesOf('  ')).toEqual([]);
  });
});
