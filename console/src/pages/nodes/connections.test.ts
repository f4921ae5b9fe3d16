import { describe, expect, it } from 'vitest';

import { closeReason, expectation } from './connections.ts';

describe('what is said of a connection', () => {
  it('promises nothing for agents that nobody knows', () => {
    expect(expectation({})).toBeUndefined();
    expect(expectation({ RetryPauseMaxSeconds: 30 })).toContain('30 seconds');
    expect(expectation({ RetryPauseMaxSeconds: 2400 })).toContain('40 minutes');
  });

  it('names reasons that it knows', () => {
    expect(closeReason({})).toBeUndefined();
    expect(closeReason({ LastClose: { Reason: 'NoAnswer' } })).toBe('the node did not answer any more');
    const unknown = { LastClose: { Reason: 'constructor' } } as unknown as Parameters<typeof closeReason>[0];
    expect(closeReason(unknown)).toBeUndefined();
  });
});
