//! Why a signature is not accepted, in AWS's words.

use std::time::Duration;

use crate::SigningTime;

/// Why a signature is not accepted. `Display` is the message AWS's clients and users know; which code goes with
/// it depends on the protocol and is chosen by [`Refusal::kind`].
///
/// Source of the texts: "Troubleshoot signed requests for AWS APIs", IAM User Guide, and answers of AWS that
/// users have published. Texts of a peer are repeated only in part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A signature in the header and one in the query.
    #[error(
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified."
    )]
    BothPlaces,
    /// The header is repeated or holds other than printable ASCII.
    #[error("The '{header}' header must be sent once and hold printable ASCII characters only.")]
    HeaderSyntax {
        /// Its name.
        header: &'static str,
    },
    /// The header or parameter is longer than any that we know of.
    #[error("The '{name}' value has {bytes} bytes; at most {bytes_max} are accepted.")]
    TooLong {
        /// The header or parameter.
        name: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// Another algorithm, among them SigV2 and SigV4a.
    #[error("Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now).")]
    Algorithm {
        /// The word given.
        algorithm: String,
    },
    /// An element of the header has no `=`.
    #[error("'{element}' not a valid key=value pair (missing equal-sign) in Authorization header.")]
    NotKeyValue {
        /// The element.
        element: String,
    },
    /// An element of the header is missing or empty.
    #[error("Authorization header requires '{parameter}' parameter.")]
    HeaderParameterMissing {
        /// `Credential`, `SignedHeaders` or `Signature`.
        parameter: &'static str,
    },
    /// A parameter of a presigned request is missing.
    #[error(
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters; '{parameter}' is missing."
    )]
    QueryParameterMissing {
        /// Its name.
        parameter: &'static str,
    },
    /// A parameter occurs twice or is not text.
    #[error("The '{parameter}' parameter must be given once and be valid text.")]
    ParameterSyntax {
        /// Its name.
        parameter: &'static str,
    },
    /// The credential has not its five elements.
    #[error(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
    )]
    CredentialElements {
        /// What was given.
        credential: String,
    },
    /// The header names no header, is not lower-case and sorted, or repeats a name.
    #[error(
        "SignedHeaders must be a list of lower-case header names in alphabetical order, separated by ';'."
    )]
    SignedHeadersSyntax,
    /// More signed headers than any client signs.
    #[error("SignedHeaders lists {count} headers; at most {count_max} are accepted.")]
    TooManySignedHeaders {
        /// How many.
        count: usize,
        /// The limit.
        count_max: usize,
    },
    /// The signature has characters that neither hexadecimal digits nor base64 have.
    #[error("The signature must be in hexadecimal or base64 characters.")]
    SignatureSyntax,
    /// No time in a header.
    #[error("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")]
    TimeMissing,
    /// The time cannot be read.
    #[error(
        "Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )]
    TimeSyntax {
        /// What was given.
        text: String,
    },
    /// A presigned request's life is no number, or out of range.
    #[error("X-Amz-Expires must be a number between 1 and 604800 (a week in seconds).")]
    ExpiresRange,
    /// `x-amz-content-sha256` is neither a digest nor a known word.
    #[error("x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a valid sha256 value.")]
    PayloadHashSyntax,
    /// A body signed chunk by chunk with an algorithm that is not supported.
    #[error("The payload option '{word}' is not supported.")]
    StreamingPayload {
        /// The word given.
        word: String,
    },
    /// `UNSIGNED-PAYLOAD` to a service that does not take it.
    #[error("UNSIGNED-PAYLOAD is accepted by S3 and in presigned requests only.")]
    UnsignedPayload,

    /// The last element of the scope.
    #[error("Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'.")]
    Terminator {
        /// What was given.
        terminator: String,
    },
    /// The scope's day is not that of the time.
    #[error("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope_date}' != '{}', from '{time}'.", .time.date())]
    ScopeDate {
        /// The day of the scope.
        scope_date: String,
        /// The time of the signature.
        time: SigningTime,
    },
    /// The scope's region is not one of ours.
    #[error("Credential should be scoped to a valid region, not '{region}'.")]
    Region {
        /// What was given.
        region: String,
    },
    /// The scope's service is not the one that was called.
    #[error("Credential should be scoped to correct service: '{service}'.")]
    Service {
        /// The service that was called.
        service: String,
    },
    /// A header that changes the meaning of the request is not under the signature.
    #[error("'{header}' must be a 'SignedHeader' in the AWS Authorization.")]
    HeaderNotSigned {
        /// Its name, lower-case.
        header: String,
    },
    /// The body is not the one that was signed.
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    PayloadMismatch,
    /// The signature is not that of the request, or not by this key.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    SignatureMismatch,

    /// Signed too long ago.
    #[error("Signature expired: {time} is now earlier than {} ({now} - {} min.)", .now.minus(*.skew_max), .skew_max.as_secs() / 60)]
    TooOld {
        /// The time of the signature.
        time: SigningTime,
        /// Our time.
        now: SigningTime,
        /// How far they may be apart.
        skew_max: Duration,
    },
    /// Signed in the future.
    #[error("Signature not yet current: {time} is still later than {} ({now} + {} min.)", .now.plus(*.skew_max), .skew_max.as_secs() / 60)]
    TooNew {
        /// The time of the signature.
        time: SigningTime,
        /// Our time.
        now: SigningTime,
        /// How far they may be apart.
        skew_max: Duration,
    },
    /// The life of a presigned request is over.
    #[error("Signature expired: {expired_at} is now earlier than {now}")]
    PresignedExpired {
        /// When it ended.
        expired_at: SigningTime,
        /// Our time.
        now: SigningTime,
    },
}

/// The row of AWS's common errors that a [`Refusal`] belongs to; each has one code in each protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The signature cannot be read: `IncompleteSignature`; S3 `AuthorizationHeaderMalformed`.
    Incomplete,
    /// The signature is not good for this request: `InvalidSignatureException`, `SignatureDoesNotMatch`.
    Mismatch,
    /// The clocks differ too much: codes as for a mismatch; S3 `RequestTimeTooSkewed`.
    Skew,
    /// A presigned request came too late: codes as for a mismatch; S3 `AccessDenied`.
    Expired,
}

impl Refusal {
    /// Which of AWS's common errors this is.
    #[must_use]
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::BothPlaces
            | Self::HeaderSyntax { .. }
            | Self::TooLong { .. }
            | Self::Algorithm { .. }
            | Self::NotKeyValue { .. }
            | Self::HeaderParameterMissing { .. }
            | Self::QueryParameterMissing { .. }
            | Self::ParameterSyntax { .. }
            | Self::CredentialElements { .. }
            | Self::SignedHeadersSyntax
            | Self::TooManySignedHeaders { .. }
            | Self::SignatureSyntax
            | Self::TimeMissing
            | Self::TimeSyntax { .. }
            | Self::ExpiresRange
            | Self::PayloadHashSyntax
            | Self::StreamingPayload { .. }
            | Self::UnsignedPayload => RefusalKind::Incomplete,
            Self::Terminator { .. }
            | Self::ScopeDate { .. }
            | Self::Region { .. }
            | Self::Service { .. }
            | Self::HeaderNotSigned { .. }
            | Self::PayloadMismatch
            | Self::SignatureMismatch => RefusalKind::Mismatch,
            Self::TooOld { .. } | Self::TooNew { .. } => RefusalKind::Skew,
            Self::PresignedExpired { .. } => RefusalKind::Expired,
        }
    }
}

/// The part of a peer's text that an error repeats, fit for a line of a log.
pub(crate) fn excerpt(text: &str) -> String {
    /// Longer than any credential, and still readable.
    const CHARS_MAX: usize = 160;
    let printable = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().take(CHARS_MAX).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_text_cannot_break_a_log() {
        assert_eq!(excerpt("AKID\n\u{1b}[2J"), "AKID\u{fffd}\u{fffd}[2J");
        assert_eq!(excerpt(&"é".repeat(9000)).chars().count(), 160);
    }

    #[test]
    fn skew_is_told_as_aws_does() {
        let time = SigningTime::parse_basic("20240522T115159Z").unwrap();
        let now = SigningTime::parse_basic("20240522T121019Z").unwrap();
        let skew_max = Duration::from_secs(300);
        assert_eq!(
            Refusal::TooOld { time, now, skew_max }.to_string(),
            "Signature expired: 20240522T115159Z is now earlier than 20240522T120519Z (20240522T121019Z - 5 min.)"
        );
        assert_eq!(
            Refusal::TooNew { time: now, now: time, skew_max }.to_string(),
            "Signature not yet current: 20240522T121019Z is still later than 20240522T115659Z (20240522T115159Z + 5 min.)"
        );
    }
}
