//! Verifying a request step by step: read, checked, verified.

use std::time::Duration;

use crate::presigned::{self, Presigned};
use crate::refusal::excerpt;
use crate::{
    AUTHORIZATION_BYTES_MAX, Authorization, ChunkVerifier, Credential, PathRule, Payload, PayloadHash,
    Refusal, Request, SigningKey, SigningTime, canonical_request, string_to_sign,
};

/// How far a signer's clock may be from ours. AWS: 5 minutes, S3 15.
const SKEW_MAX: Duration = Duration::from_secs(5 * 60);
const SKEW_MAX_S3: Duration = Duration::from_secs(15 * 60);

/// Headers that must be under the signature begin so, besides `host`.
const SIGNED_PREFIX: &str = "x-amz-";
const CONTENT_SHA256: &str = "x-amz-content-sha256";

/// Where the signature was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the `Authorization` header.
    Header,
    /// In the query of a presigned request.
    Query {
        /// How long the request is good for.
        expires: Duration,
    },
}

/// Regions that a service answers for.
#[derive(Debug, Clone, Copy)]
pub enum Regions<'a> {
    /// A global service, such as IAM: clients sign with whatever region they are set to.
    Any,
    /// These only.
    OneOf(&'a [&'a str]),
}

/// What kind of key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// A secret access key.
    Secret,
    /// A managed node's RSA key. amazon-ssm-agent adds `x-amz-content-sha256` after signing, so that header need
    /// not be listed; its value is under the signature as the payload hash all the same (agent/ssm/rsaauth).
    NodeRsa,
}

/// What a service accepts.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    /// The signing name of the service that is called.
    pub service: &'a str,
    /// The regions it answers for.
    pub regions: Regions<'a>,
    /// The kind of key.
    pub key: KeyKind,
    /// Our time.
    pub now: SigningTime,
}

/// A request with a signature that has been read and nothing more.
#[derive(Debug, Clone)]
pub struct SignedRequest<'a> {
    request: Request<'a>,
    place: Place,
    authorization: Authorization,
    time: SigningTime,
    security_token: Option<String>,
    payload: Payload,
}

impl<'a> SignedRequest<'a> {
    /// Reads the signature; `None` when the request has none.
    ///
    /// # Errors
    /// When there is a signature that cannot be read, or two.
    pub fn parse(request: Request<'a>) -> Result<Option<Self>, Refusal> {
        match (request.has("authorization"), presigned::is_presigned(request.query)) {
            (false, false) => Ok(None),
            (true, true) => Err(Refusal::BothPlaces),
            (true, false) => Self::from_header(request).map(Some),
            (false, true) => Self::from_query(request).map(Some),
        }
    }

    fn from_header(request: Request<'a>) -> Result<Self, Refusal> {
        let authorization = header(&request, "authorization")?.unwrap_or_default();
        let authorization = Authorization::parse(authorization)?;
        let time = match header(&request, "x-amz-date")? {
            Some(text) => {
                SigningTime::parse_basic(text).ok_or_else(|| Refusal::TimeSyntax { text: excerpt(text) })?
            }
            None => {
                let text = header(&request, "date")?.ok_or(Refusal::TimeMissing)?;
                SigningTime::parse_http_date(text)
                    .or_else(|| SigningTime::parse_basic(text))
                    .ok_or_else(|| Refusal::TimeSyntax { text: excerpt(text) })?
            }
        };
        let security_token = header(&request, "x-amz-security-token")?.map(str::to_owned);
        let payload = declared_payload(&request)?.unwrap_or(Payload::Undeclared);
        Ok(Self { request, place: Place::Header, authorization, time, security_token, payload })
    }

    fn from_query(request: Request<'a>) -> Result<Self, Refusal> {
        let Presigned { authorization, time, expires, security_token, payload } =
            Presigned::parse(request.query)?;
        let payload = match (declared_payload(&request)?, payload) {
            (Some(payload), _) => payload,
            (None, Some(value)) => Payload::parse(&value)?,
            // Who presigns for S3 does not know the body.
            (None, None) if authorization.credential.scope.service == "s3" => Payload::Unsigned,
            (None, None) => Payload::Undeclared,
        };
        Ok(Self { request, place: Place::Query { expires }, authorization, time, security_token, payload })
    }

    /// Who says to have signed, and for which scope.
    #[must_use]
    pub fn credential(&self) -> &Credential {
        &self.authorization.credential
    }

    /// The session token of temporary credentials.
    #[must_use]
    pub fn security_token(&self) -> Option<&str> {
        self.security_token.as_deref()
    }

    /// Where the signature was.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// Checks all that needs no key.
    ///
    /// # Errors
    /// A wrong service, region or day in the scope; a time too far from ours or a presigned request that has
    /// expired; a header that must be signed and is not; an unsigned body for a service that does not take it.
    pub fn check(self, expectation: &Expectation<'_>) -> Result<CheckedRequest<'a>, Refusal> {
        self.check_scope(expectation)?;
        self.check_time(expectation)?;
        self.check_signed_headers(expectation.key)?;
        let is_s3 = expectation.service == "s3";
        let is_taken = match self.payload {
            Payload::Undeclared | Payload::Declared(_) => true,
            Payload::Unsigned => is_s3 || self.place != Place::Header,
            Payload::UnsignedChunks => is_s3,
            // Whoever presigns does not sign the chunks that come later.
            Payload::SignedChunks { .. } => {
                is_s3 && self.place == Place::Header && expectation.key == KeyKind::Secret
            }
        };
        if !is_taken {
            return Err(Refusal::UnsignedPayload);
        }
        Ok(CheckedRequest(self))
    }

    fn check_scope(&self, expectation: &Expectation<'_>) -> Result<(), Refusal> {
        let scope = &self.credential().scope;
        if let Regions::OneOf(regions) = expectation.regions
            && !regions.contains(&scope.region.as_str())
        {
            return Err(Refusal::Region { region: excerpt(&scope.region) });
        }
        if scope.service != expectation.service {
            return Err(Refusal::Service { service: expectation.service.to_owned() });
        }
        if scope.date != self.time.date() {
            return Err(Refusal::ScopeDate { scope_date: excerpt(&scope.date), time: self.time });
        }
        Ok(())
    }

    fn check_time(&self, expectation: &Expectation<'_>) -> Result<(), Refusal> {
        let (time, now) = (self.time, expectation.now);
        let skew_max = if expectation.service == "s3" { SKEW_MAX_S3 } else { SKEW_MAX };
        if time > now.plus(skew_max) {
            return Err(Refusal::TooNew { time, now, skew_max });
        }
        match self.place {
            Place::Header if time < now.minus(skew_max) => Err(Refusal::TooOld { time, now, skew_max }),
            Place::Query { expires } if time.plus(expires) < now => {
                Err(Refusal::PresignedExpired { expired_at: time.plus(expires), now })
            }
            Place::Header | Place::Query { .. } => Ok(()),
        }
    }

    fn check_signed_headers(&self, key: KeyKind) -> Result<(), Refusal> {
        let is_signed = |name: &str| self.authorization.signed_headers.iter().any(|signed| signed == name);
        if !is_signed("host") {
            return Err(Refusal::HeaderNotSigned { header: "host".to_owned() });
        }
        let names = self.request.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
        for name in names.filter(|name| name.starts_with(SIGNED_PREFIX)) {
            let is_excused = key == KeyKind::NodeRsa && name == CONTENT_SHA256;
            if !is_signed(&name) && !is_excused {
                return Err(Refusal::HeaderNotSigned { header: excerpt(&name) });
            }
        }
        Ok(())
    }
}

/// A request whose signature is good if the key says so.
#[derive(Debug, Clone)]
pub struct CheckedRequest<'a>(SignedRequest<'a>);

impl CheckedRequest<'_> {
    /// Who says to have signed, and for which scope: what [`SigningKey::derive`] needs.
    #[must_use]
    pub fn credential(&self) -> &Credential {
        self.0.credential()
    }

    /// What the request says about its body.
    #[must_use]
    pub fn declared_payload(&self) -> Payload {
        self.0.payload
    }

    /// The payload hash of `body`, which must be the one declared.
    ///
    /// # Errors
    /// [`Refusal::PayloadMismatch`].
    pub fn payload(&self, body: &[u8]) -> Result<PayloadHash, Refusal> {
        self.0.payload.hash(body)
    }

    /// The payload hash as it is declared, for a body that is compared with it when it has come; `None` if nothing is.
    #[must_use]
    pub fn declared_hash(&self) -> Option<PayloadHash> {
        match self.0.payload {
            Payload::Undeclared => None,
            Payload::Declared(digest) => Some(PayloadHash::Sha256(digest)),
            Payload::Unsigned => Some(PayloadHash::Unsigned),
            Payload::UnsignedChunks => Some(PayloadHash::UnsignedChunks),
            Payload::SignedChunks { has_trailer } => Some(PayloadHash::SignedChunks { has_trailer }),
        }
    }

    /// What verifies the chunks of the body, with the key that has verified the request; `None` if they are not signed.
    #[must_use]
    pub fn chunks(&self, key: SigningKey) -> Option<ChunkVerifier> {
        let Payload::SignedChunks { has_trailer } = self.0.payload else { return None };
        let scope = &self.credential().scope;
        Some(ChunkVerifier::new(key, self.0.time, scope, self.signature(), has_trailer))
    }

    /// The text under the signature.
    #[must_use]
    pub fn string_to_sign(&self, payload: &PayloadHash) -> String {
        let SignedRequest { request, authorization, time, .. } = &self.0;
        let scope = &authorization.credential.scope;
        let rule = PathRule::of_service(&scope.service);
        let canonical = canonical_request(request, &authorization.signed_headers, rule, payload);
        string_to_sign(*time, scope, &canonical)
    }

    /// The signature as given: hexadecimal digits, or base64 of a managed node.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.0.authorization.signature
    }

    /// Whether `key` made the signature over this request with this payload; in constant time.
    ///
    /// # Errors
    /// [`Refusal::SignatureMismatch`].
    pub fn verify(&self, key: &SigningKey, payload: &PayloadHash) -> Result<(), Refusal> {
        let matches = key.verify(&self.string_to_sign(payload), self.signature());
        if matches { Ok(()) } else { Err(Refusal::SignatureMismatch) }
    }
}

fn header<'a>(request: &Request<'a>, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    let value = request.single(name).map_err(|_| Refusal::HeaderSyntax { header: name })?;
    match value {
        Some(value) if value.len() > AUTHORIZATION_BYTES_MAX => {
            Err(Refusal::TooLong { name, bytes: value.len(), bytes_max: AUTHORIZATION_BYTES_MAX })
        }
        _ => Ok(value),
    }
}

fn declared_payload(request: &Request<'_>) -> Result<Option<Payload>, Refusal> {
    header(request, CONTENT_SHA256)?.map(Payload::parse).transpose()
}
