// How long to wait for an acknowledgement before resending. Mirrors crates/protocol/src/rto.rs.
//
// Source: aws/session-manager-plugin, src/datachannel/streaming.go, `CalculateRetransmissionTimeout`, with AWS's
// constants in src/config/config.go. The lower bound is ours: AWS's timeout falls to some 10 ms on a fast link, and
// each needless resend costs a duplicate that the plugin ignores.

const RTT_MS_INITIAL = 100;
const RTT_WEIGHT = 1 / 8;
const VARIATION_WEIGHT = 1 / 4;
/** The least that the variation adds: what clocks cannot tell apart. */
const CLOCK_GRANULARITY_MS = 10;
const TIMEOUT_MS_INITIAL = 200;
const TIMEOUT_MS_MAX = 1000;

/** Never resend earlier while connected: TCP loses nothing, so only a refused message needs it. */
export const RESEND_AFTER_MS_MIN = 200;

/** The retransmission timeout, from the times that acknowledgements took. */
export class Rto {
  rttMs = RTT_MS_INITIAL;
  variationMs = 0;
  timeoutMs = TIMEOUT_MS_INITIAL;

  /** An acknowledgement came that long after its message had been sent. */
  handleSample(sampleMs: number): void {
    const deviationMs = Math.abs(this.rttMs - sampleMs);
    this.variationMs += VARIATION_WEIGHT * (deviationMs - this.variationMs);
    this.rttMs += RTT_WEIGHT * (sampleMs - this.rttMs);
    this.timeoutMs = Math.min(this.rttMs + Math.max(4 * this.variationMs, CLOCK_GRANULARITY_MS), TIMEOUT_MS_MAX);
  }

  /** How long to wait: AWS's timeout, but no less than `RESEND_AFTER_MS_MIN`. */
  get resendAfterMs(): number {
    return Math.max(this.timeoutMs, RESEND_AFTER_MS_MIN);
  }
}
