//! How long to wait for an acknowledgement before resending.
//!
//! Source: aws/session-manager-plugin, src/datachannel/streaming.go, `CalculateRetransmissionTimeout`, with AWS's
//! constants in src/config/config.go. The lower bound is ours: AWS's timeout falls to some 10 ms on a fast link,
//! and each needless resend costs a duplicate that the plugin ignores.

use std::time::Duration;

const RTT_MS_INITIAL: f64 = 100.0;
const RTT_WEIGHT: f64 = 1.0 / 8.0;
const VARIATION_WEIGHT: f64 = 1.0 / 4.0;
/// The least that the variation adds: what clocks cannot tell apart.
const CLOCK_GRANULARITY_MS: f64 = 10.0;
const TIMEOUT_MS_INITIAL: f64 = 200.0;
const TIMEOUT_MS_MAX: f64 = 1000.0;

/// Never resend earlier while connected: TCP loses nothing, so only a refused message needs it.
pub const RESEND_AFTER_MIN: Duration = Duration::from_millis(200);

/// The retransmission timeout, from the times that acknowledgements took.
#[derive(Debug, Clone)]
pub struct Rto {
    rtt_ms: f64,
    variation_ms: f64,
    timeout_ms: f64,
}

impl Default for Rto {
    fn default() -> Self {
        Self { rtt_ms: RTT_MS_INITIAL, variation_ms: 0.0, timeout_ms: TIMEOUT_MS_INITIAL }
    }
}

impl Rto {
    /// An acknowledgement came `sample` after its message had been sent.
    pub fn handle_sample(&mut self, sample: Duration) {
        let sample_ms = sample.as_secs_f64() * 1000.0;
        let deviation_ms = (self.rtt_ms - sample_ms).abs();
        self.variation_ms += VARIATION_WEIGHT * (deviation_ms - self.variation_ms);
        self.rtt_ms += RTT_WEIGHT * (sample_ms - self.rtt_ms);
        let timeout_ms = self.rtt_ms + (4.0 * self.variation_ms).max(CLOCK_GRANULARITY_MS);
        self.timeout_ms = timeout_ms.min(TIMEOUT_MS_MAX);
    }

    /// How long to wait: AWS's timeout, but no less than [`RESEND_AFTER_MIN`].
    #[must_use]
    pub fn resend_after(&self) -> Duration {
        Duration::from_secs_f64(self.timeout_ms / 1000.0).max(RESEND_AFTER_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_follows_awss_arithmetic() {
        // sample, RTT, variation, timeout; all in milliseconds
        let table = [
            (50, 93.75, 12.5, 143.75),
            (80, 92.031_25, 12.8125, 143.281_25),
            (300, 118.027_344, 61.601_562, 364.433_594),
            (20, 105.773_926, 70.708_008, 388.605_957),
            (900, 205.052_185, 251.587_524, 1000.0),
            (1500, 366.920_662, 512.427_597, 1000.0),
            (10, 322.305_579, 473.550_863, 1000.0),
        ];
        let close = |a: f64, b: f64| (a - b).abs() < 0.000_001;
        let mut rto = Rto::default();
        for (sample, rtt_ms, variation_ms, timeout_ms) in table {
            rto.handle_sample(Duration::from_millis(sample));
            assert!(close(rto.rtt_ms, rtt_ms), "RTT after {sample}: {}", rto.rtt_ms);
            assert!(close(rto.variation_ms, variation_ms), "variation after {sample}: {}", rto.variation_ms);
            assert!(close(rto.timeout_ms, timeout_ms), "timeout after {sample}: {}", rto.timeout_ms);
        }
    }

    #[test]
    fn we_wait_at_least_200_ms_and_at_most_1_s() {
        let mut rto = Rto::default();
        assert_eq!(rto.resend_after(), Duration::from_millis(200));
        (0..100).for_each(|_| rto.handle_sample(Duration::from_micros(50)));
        assert_eq!(rto.resend_after(), Duration::from_millis(200));
        rto.handle_sample(Duration::from_secs(1_000_000));
        assert_eq!(rto.resend_after(), Duration::from_secs(1));
    }
}
