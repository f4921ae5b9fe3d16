//! Signatures in the query of a presigned request.

use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::canonical::pairs;
use crate::refusal::excerpt;
use crate::{ALGORITHM, AUTHORIZATION_BYTES_MAX, Authorization, Refusal, SigningTime};

/// The longest life of a presigned request, a week. Source: Amazon S3 API Reference, "Authenticating Requests:
/// Using Query Parameters".
pub const EXPIRES_S_MAX: u64 = 604_800;

/// What a presigned query holds.
pub(crate) struct Presigned {
    pub(crate) authorization: Authorization,
    pub(crate) time: SigningTime,
    pub(crate) expires: Duration,
    pub(crate) security_token: Option<String>,
    pub(crate) payload: Option<String>,
}

/// Whether the query claims to be signed.
pub(crate) fn is_presigned(query: &str) -> bool {
    pairs(query).any(|(name, _)| matches!(name, "X-Amz-Algorithm" | "X-Amz-Credential" | "X-Amz-Signature"))
}

impl Presigned {
    pub(crate) fn parse(query: &str) -> Result<Self, Refusal> {
        let required =
            |parameter| parameter_of(query, parameter)?.ok_or(Refusal::QueryParameterMissing { parameter });
        let algorithm = required("X-Amz-Algorithm")?;
        if algorithm != ALGORITHM {
            return Err(Refusal::Algorithm { algorithm: excerpt(&algorithm) });
        }
        let authorization = Authorization::from_parts(
            &required("X-Amz-Credential")?,
            &required("X-Amz-SignedHeaders")?,
            required("X-Amz-Signature")?,
        )?;
        let time = required("X-Amz-Date")?;
        let time =
            SigningTime::parse_basic(&time).ok_or_else(|| Refusal::TimeSyntax { text: excerpt(&time) })?;
        let expires = required("X-Amz-Expires")?;
        let is_number = expires.bytes().all(|b| b.is_ascii_digit());
        let expires = expires.parse().ok().filter(|s| is_number && (1..=EXPIRES_S_MAX).contains(s));
        Ok(Self {
            authorization,
            time,
            expires: expires.map(Duration::from_secs).ok_or(Refusal::ExpiresRange)?,
            security_token: parameter_of(query, "X-Amz-Security-Token")?,
            payload: parameter_of(query, "X-Amz-Content-Sha256")?,
        })
    }
}

/// The one decoded value of a parameter.
fn parameter_of(query: &str, parameter: &'static str) -> Result<Option<String>, Refusal> {
    let mut values = pairs(query).filter(|(name, _)| *name == parameter).map(|(_, value)| value);
    let Some(value) = values.next() else { return Ok(None) };
    if value.len() > AUTHORIZATION_BYTES_MAX {
        let (bytes, bytes_max) = (value.len(), AUTHORIZATION_BYTES_MAX);
        return Err(Refusal::TooLong { name: parameter, bytes, bytes_max });
    }
    match percent_decode_str(value).decode_utf8() {
        Ok(value) if values.next().is_none() => Ok(Some(value.into_owned())),
        _ => Err(Refusal::ParameterSyntax { parameter }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20150830%2Fus-east-1%2Fsts%2Faws4_request\
        &X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00ff&X-Amz-Security-Token=a%2Bb";

    #[test]
    fn all_parts_are_read() {
        let presigned = Presigned::parse(GOOD).unwrap_or_else(|refusal| panic!("{refusal}"));
        assert_eq!(
            presigned.authorization.credential.to_string(),
            "AKID/20150830/us-east-1/sts/aws4_request"
        );
        assert_eq!(presigned.expires, Duration::from_secs(60));
        assert_eq!(presigned.security_token.as_deref(), Some("a+b"));
        assert!(is_presigned(GOOD) && !is_presigned("role=subscribe&X-Amz-Date=1"));
    }

    #[test]
    fn refusals() {
        for (from, to, refusal) in [
            (
                "X-Amz-Algorithm=AWS4-HMAC-SHA256&",
                "",
                Refusal::QueryParameterMissing { parameter: "X-Amz-Algorithm" },
            ),
            ("X-Amz-Signature=00ff", "", Refusal::QueryParameterMissing { parameter: "X-Amz-Signature" }),
            ("AWS4-HMAC", "AWS4-ECDSA", Refusal::Algorithm { algorithm: "AWS4-ECDSA-SHA256".into() }),
            ("Expires=60", "Expires=0", Refusal::ExpiresRange),
            ("Expires=60", "Expires=604801", Refusal::ExpiresRange),
            ("Expires=60", "Expires=%2B60", Refusal::ExpiresRange),
            ("Expires=60", "Expires=", Refusal::ExpiresRange),
            ("T123600Z", "T12:36:00Z", Refusal::TimeSyntax { text: "20150830T12:36:00Z".into() }),
            ("host", "host%FF", Refusal::ParameterSyntax { parameter: "X-Amz-SignedHeaders" }),
            (
                "&X-Amz-Date=",
                "&X-Amz-Date=20150830T123600Z&X-Amz-Date=",
                Refusal::ParameterSyntax { parameter: "X-Amz-Date" },
            ),
        ] {
            assert_eq!(Presigned::parse(&GOOD.replace(from, to)).err(), Some(refusal), "{to}");
        }
    }
}
