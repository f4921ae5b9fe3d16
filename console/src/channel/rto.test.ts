import { expect, test } from 'vitest';

import { Rto } from './rto.ts';

test('the timeout follows AWS’s arithmetic', () => {
  const rto = new Rto();
  // sample, RTT, variation, timeout; all in milliseconds
  const table = [
    [50, 93.75, 12.5, 143.75],
    [80, 92.031_25, 12.8125, 143.281_25],
    [300, 118.027_344, 61.601_562, 364.433_594],
    [20, 105.773_926, 70.708_008, 388.605_957],
    [900, 205.052_185, 251.587_524, 1000],
    [1500, 366.920_662, 512.427_597, 1000],
    [10, 322.305_579, 473.550_863, 1000],
  ] as const;
  for (const [sample, rtt, variation, timeout] of table) {
    rto.handleSample(sample);
    expect(rto.rttMs).toBeCloseTo(rtt, 5);
    expect(rto.variationMs).toBeCloseTo(variation, 5);
    expect(rto.timeoutMs).toBeCloseTo(timeout, 5);
  }
});

test('we wait at least 200 ms and at most 1 s', () => {
  const rto = new Rto();
  for (let count = 0; count < 100; count += 1) {
    rto.handleSample(0.05);
  }
  expect(rto.resendAfterMs).toBe(200);
  rto.handleSample(1e9);
  expect(rto.resendAfterMs).toBe(1000);
});
