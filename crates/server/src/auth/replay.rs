//! A retried `StartSession` must not start a second session.
//!
//! AWS's SDKs send the same `amz-sdk-invocation-id` with each attempt of a call, and try again when the
//! connection breaks before the answer came. Such an attempt gets the first one's answer, for as long as its signature is
//! good. The signature itself tells nothing: two calls of one second, meant as two, have the same.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;

use super::Caller;

/// How long an answer is kept: as long as a signature is good. The SDKs' retries are over in less.
const KEPT: SignedDuration = SignedDuration::from_mins(5);
/// How many are kept. Beyond that the oldest go: a retry of theirs starts another session, as on AWS.
const KEPT_MAX: usize = 4096;
/// The longest invocation ID that is heeded; SDKs send a UUID.
const ID_CHARS_MAX: usize = 64;

/// One attempt's identity: the same for each attempt of a call, and for nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Invocation([u8; 32]);

impl Invocation {
    /// The invocation of a call with `body` by `caller`, whose signature was verified. `None` when the client does
    /// not say which it is.
    #[must_use]
    pub fn new(caller: &Caller, invocation_id: Option<&str>, body: &[u8]) -> Option<Self> {
        let id = invocation_id.filter(|id| (1..=ID_CHARS_MAX).contains(&id.len()))?;
        let key = caller.access_key_id.as_deref()?;
        // Neither an access key ID nor a header value contains a line feed.
        let text = [key.as_bytes(), b"\n", id.as_bytes(), b"\n", body].concat();
        let digest = digest(&SHA256, &text);
        Some(Self(digest.as_ref().try_into().expect("SHA-256 gives 32 bytes")))
    }
}

/// The answers of the last minute.
#[derive(Debug)]
pub struct Invocations<T> {
    inner: Mutex<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    answers: HashMap<Invocation, Arc<OnceCell<T>>>,
    /// In the order they came.
    ages: VecDeque<(Timestamp, Invocation)>,
}

impl<T> Default for Invocations<T> {
    fn default() -> Self {
        Self { inner: Mutex::new(Inner { answers: HashMap::new(), ages: VecDeque::new() }) }
    }
}

impl<T> Invocations<T> {
    /// The place of an invocation's answer. Fill it with [`OnceCell::get_or_try_init`]: an attempt that comes while
    /// another is at work waits for it, and does the work itself if that one failed.
    #[must_use]
    pub fn answer(&self, invocation: Invocation, now: Timestamp) -> Arc<OnceCell<T>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.forget(now);
        if let Some(answer) = inner.answers.get(&invocation) {
            return Arc::clone(answer);
        }
        let answer = Arc::new(OnceCell::new());
        inner.answers.insert(invocation.clone(), Arc::clone(&answer));
        inner.ages.push_back((now, invocation));
        answer
    }
}

impl<T> Inner<T> {
    /// Makes room for one more.
    fn forget(&mut self, now: Timestamp) {
        while let Some((at, _)) = self.ages.front()
            && (now.duration_since(*at) > KEPT || self.ages.len() >= KEPT_MAX)
        {
            if let Some((_, invocation)) = self.ages.pop_front() {
                self.answers.remove(&invocation);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::net::Ipv4Addr;

    use super::super::Principal;
    use super::*;

    fn invocation(key: &str, id: &str, body: &[u8]) -> Invocation {
        let anonymous = Caller::unsigned(Principal::Anonymous, Ipv4Addr::LOCALHOST.into());
        let caller = Caller { access_key_id: Some(key.to_owned()), ..anonymous };
        Invocation::new(&caller, Some(id), body).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    async fn attempt(
        invocations: &Invocations<u32>,
        invocation: &Invocation,
        now: Timestamp,
        work: u32,
    ) -> u32 {
        let answer = invocations.answer(invocation.clone(), now);
        *answer.get_or_try_init(|| async { Ok::<_, Infallible>(work) }).await.unwrap()
    }

    #[tokio::test]
    async fn a_retry_gets_the_first_answer_for_five_minutes() {
        let invocations = Invocations::default();
        let call = invocation("AKIA", "1", b"{}");
        assert_eq!(attempt(&invocations, &call, at(0), 1).await, 1);
        assert_eq!(attempt(&invocations, &call, at(300), 2).await, 1);
        assert_eq!(attempt(&invocations, &call, at(301), 3).await, 3);
    }

    #[tokio::test]
    async fn other_callers_ids_and_bodies_are_other_calls() {
        let invocations = Invocations::default();
        for (work, call) in [
            invocation("AKIA", "1", b"{}"),
            invocation("AKIB", "1", b"{}"),
            invocation("AKIA", "2", b"{}"),
            invocation("AKIA", "1", b"{ }"),
        ]
        .iter()
        .enumerate()
        {
            let work = u32::try_from(work).unwrap();
            assert_eq!(attempt(&invocations, call, at(0), work).await, work);
        }
    }

    #[tokio::test]
    async fn an_attempt_that_failed_is_no_answer() {
        let invocations: Invocations<u32> = Invocations::default();
        let call = invocation("AKIA", "1", b"{}");
        let answer = invocations.answer(call.clone(), at(0));
        assert_eq!(answer.get_or_try_init(|| async { Err("no") }).await, Err("no"));
        assert_eq!(attempt(&invocations, &call, at(1), 2).await, 2);
    }

    #[tokio::test]
    async fn the_oldest_go_when_there_are_too_many() {
        let invocations = Invocations::default();
        let first = invocation("AKIA", "first", b"");
        assert_eq!(attempt(&invocations, &first, at(0), 1).await, 1);
        for number in 0..KEPT_MAX {
            let _ = invocations.answer(invocation("AKIA", &number.to_string(), b""), at(0));
        }
        let kept = invocations.inner.lock().unwrap().answers.len();
        assert_eq!(kept, KEPT_MAX);
        assert_eq!(attempt(&invocations, &first, at(0), 2).await, 2);
    }

    #[test]
    fn calls_without_a_usable_id_are_never_the_same() {
        let anonymous = Caller::unsigned(Principal::Anonymous, Ipv4Addr::LOCALHOST.into());
        assert_eq!(Invocation::new(&anonymous, Some("1"), b""), None);
        let known = Caller { access_key_id: Some("AKIA".into()), ..anonymous };
        assert_eq!(Invocation::new(&known, None, b""), None);
        assert_eq!(Invocation::new(&known, Some(""), b""), None);
        assert_eq!(Invocation::new(&known, Some(&"x".repeat(65)), b""), None);
    }
}
