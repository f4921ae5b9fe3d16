//! Codes of virtual MFA devices (TOTP, RFC 6238, with HMAC-SHA-1, 30 seconds and six digits, as every authenticator
//! app has them and IAM demands).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use jiff::Timestamp;
use postern_store::MfaCounter;

/// How long a code is shown.
const STEP_SECONDS: i64 = 30;
/// Steps around the expected one whose codes are taken: clocks drift, and people type slowly.
const WINDOW_STEPS: i64 = 1;
/// The same when a device is enabled or its clock found out anew, by two codes.
const SEARCH_STEPS: i64 = 20;

/// The time step whose code `code` is and which may still be used, and what that teaches about the device's clock.
/// Whether somebody else used it in the meantime, only the store can tell.
#[must_use]
pub fn find_code(seed: &[u8], code: &str, known: MfaCounter, now: Timestamp) -> Option<MfaCounter> {
    let ours = step(now);
    let expected = ours + i64::from(known.drift_steps);
    // The expected one first: a code may, once in a million times, be that of two steps.
    let candidates = [0, -WINDOW_STEPS, WINDOW_STEPS].map(|offset| expected + offset);
    let found = candidates.into_iter().find(|&step| is_code(seed, step, code))?;
    counter(found, ours).filter(|counter| counter.last > known.last)
}

/// Where a device's clock stands, by two codes that follow each other.
#[must_use]
pub fn find_two_codes(seed: &[u8], first: &str, second: &str, now: Timestamp) -> Option<MfaCounter> {
    let ours = step(now);
    let mut steps = ours - SEARCH_STEPS..=ours + SEARCH_STEPS;
    let found = steps.find(|&step| is_code(seed, step, first) && is_code(seed, step + 1, second))?;
    counter(found + 1, ours)
}

fn counter(step: i64, ours: i64) -> Option<MfaCounter> {
    Some(MfaCounter { last: step.try_into().ok()?, drift_steps: (step - ours).try_into().ok()? })
}

fn step(now: Timestamp) -> i64 {
    now.as_second().div_euclid(STEP_SECONDS)
}

fn is_code(seed: &[u8], step: i64, code: &str) -> bool {
    let Ok(step) = u64::try_from(step) else { return false };
    verify_slices_are_equal(code_at(seed, step).as_bytes(), code.as_bytes()).is_ok()
}

/// HOTP (RFC 4226 section 5.3): four bytes of the MAC, chosen by its last four bits, modulo a million.
fn code_at(seed: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let mac = hmac::sign(&key, &step.to_be_bytes());
    let mac: &[u8; 20] = mac.as_ref().try_into().expect("SHA-1 gives 20 bytes");
    let offset = usize::from(mac[19] & 0x0f);
    let chosen = u32::from_be_bytes([mac[offset], mac[offset + 1], mac[offset + 2], mac[offset + 3]]);
    format!("{:06}", (chosen & 0x7fff_ffff) % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn fresh() -> MfaCounter {
        MfaCounter { last: 0, drift_steps: 0 }
    }

    /// RFC 6238, appendix B, the last six of eight digits.
    const CODES: [(i64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];

    #[test]
    fn codes_are_those_of_the_standard() {
        for (time, code) in CODES {
            let found = find_code(SEED, code, fresh(), at(time)).unwrap();
            assert_eq!(found.last, u64::try_from(time / 30).unwrap(), "{time}");
            for wrong in ["000000", "", &code[1..], &format!("{code}0"), "28708a"] {
                assert_eq!(find_code(SEED, wrong, fresh(), at(time)), None, "{time} {wrong}");
            }
        }
    }

    #[test]
    fn a_code_is_good_for_one_step_around_its_own_and_once() {
        let (time, code) = (1_234_567_890, "005924");
        for (later, drift) in [(0, Some(0)), (30, Some(-1)), (-30, Some(1)), (60, None), (-60, None)] {
            let found = find_code(SEED, code, fresh(), at(time + later));
            assert_eq!(found.map(|counter| counter.drift_steps), drift, "{later}");
        }
        let used = find_code(SEED, code, fresh(), at(time)).unwrap();
        assert_eq!(find_code(SEED, code, used, at(time)), None);
        let earlier = code_at(SEED, used.last - 1);
        assert_eq!(find_code(SEED, &earlier, used, at(time)), None);
    }

    #[test]
    fn a_device_whose_clock_is_wrong_is_known_by_two_codes() {
        let step = 1_234_567_890 / 30;
        let (first, second) = (code_at(SEED, step + 10), code_at(SEED, step + 11));
        let now = at(1_234_567_890);
        let known = find_two_codes(SEED, &first, &second, now).unwrap();
        assert_eq!(known, MfaCounter { last: step + 11, drift_steps: 11 });
        assert_eq!(find_two_codes(SEED, &second, &first, now), None);
        assert_eq!(find_two_codes(SEED, &first, &first, now), None);
        // From then on its codes are expected that much earlier.
        let next = find_code(SEED, &code_at(SEED, step + 12), known, at(1_234_567_890 + 30)).unwrap();
        assert_eq!(next, MfaCounter { last: step + 12, drift_steps: 11 });
        assert_eq!(find_code(SEED, &code_at(SEED, step + 1), known, at(1_234_567_890 + 30)), None);
    }
}
