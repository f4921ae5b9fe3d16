//! The `Authorization` header.

use std::fmt;

use crate::refusal::excerpt;
use crate::{ALGORITHM, Credential, Refusal};

/// The longest `Authorization` header that is read. A node's has some 500 bytes with its RSA signature; with
/// [`SIGNED_HEADERS_MAX`] long names one stays below this.
pub const AUTHORIZATION_BYTES_MAX: usize = 8 * 1024;

/// The most signed headers. Clients sign 3 to 15; each costs a pass over the headers of the request.
pub const SIGNED_HEADERS_MAX: usize = 64;

/// The longest signature: RSA with 4,096 bits has 684 base64 characters.
const SIGNATURE_BYTES_MAX: usize = 1024;

/// What a signer states about a signature, wherever it is in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Who signed, and the scope.
    pub credential: Credential,
    /// The names of the headers under the signature: lower-case, sorted, each once.
    pub signed_headers: Vec<String>,
    /// Hexadecimal digits, or base64 for the RSA signature of a managed node.
    pub signature: String,
}

impl Authorization {
    /// Reads a header's value. Elements that are not known are passed over, as newer signers may add some.
    ///
    /// # Errors
    /// Every refusal of the kind [`Incomplete`](crate::RefusalKind::Incomplete), and a wrong terminator.
    pub fn parse(value: &str) -> Result<Self, Refusal> {
        if value.len() > AUTHORIZATION_BYTES_MAX {
            let (bytes, bytes_max) = (value.len(), AUTHORIZATION_BYTES_MAX);
            return Err(Refusal::TooLong { name: "Authorization", bytes, bytes_max });
        }
        let (algorithm, elements) = value.split_once(' ').unwrap_or((value, ""));
        if algorithm != ALGORITHM {
            return Err(Refusal::Algorithm { algorithm: excerpt(algorithm) });
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for element in elements.split(',').map(str::trim).filter(|element| !element.is_empty()) {
            let Some((name, value)) = element.split_once('=') else {
                return Err(Refusal::NotKeyValue { element: excerpt(element) });
            };
            let (slot, parameter) = match name {
                "Credential" => (&mut credential, "Credential"),
                "SignedHeaders" => (&mut signed_headers, "SignedHeaders"),
                "Signature" => (&mut signature, "Signature"),
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(Refusal::ParameterSyntax { parameter });
            }
        }
        let required = |value: Option<&'_ str>, parameter| match value {
            Some(value) if !value.is_empty() => Ok(value.to_owned()),
            _ => Err(Refusal::HeaderParameterMissing { parameter }),
        };
        Self::from_parts(
            &required(credential, "Credential")?,
            &required(signed_headers, "SignedHeaders")?,
            required(signature, "Signature")?,
        )
    }

    /// Reads the three parts, from a header or a query.
    pub(crate) fn from_parts(
        credential: &str,
        signed_headers: &str,
        signature: String,
    ) -> Result<Self, Refusal> {
        let credential = Credential::parse(credential)?;
        let count = signed_headers.split(';').count();
        if count > SIGNED_HEADERS_MAX {
            return Err(Refusal::TooManySignedHeaders { count, count_max: SIGNED_HEADERS_MAX });
        }
        let signed_headers: Vec<String> = signed_headers.split(';').map(str::to_owned).collect();
        if !signed_headers.is_sorted_by(|a, b| a < b) || !signed_headers.iter().all(|name| is_name(name)) {
            return Err(Refusal::SignedHeadersSyntax);
        }
        let is_signature = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
        if signature.is_empty()
            || signature.len() > SIGNATURE_BYTES_MAX
            || !signature.bytes().all(is_signature)
        {
            return Err(Refusal::SignatureSyntax);
        }
        Ok(Self { credential, signed_headers, signature })
    }
}

impl fmt::Display for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { credential, signed_headers, signature } = self;
        let signed_headers = signed_headers.join(";");
        write!(
            f,
            "{ALGORITHM} Credential={credential}, SignedHeaders={signed_headers}, Signature={signature}"
        )
    }
}

/// Whether `name` is a lower-case header name (RFC 9110, 5.6.2).
fn is_name(name: &str) -> bool {
    let is_token = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9') || b"!#$%&'*+-.^_`|~:".contains(&b);
    !name.is_empty() && name.bytes().all(is_token)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CREDENTIAL: &str = "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";

    #[test]
    fn what_is_written_reads_back() {
        let text = format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature=00ff");
        let authorization = Authorization::parse(&text).unwrap();
        assert_eq!(authorization.signed_headers, ["host", "x-amz-date"]);
        assert_eq!(authorization.to_string(), text);
    }

    #[test]
    fn writers_differ_in_order_and_spaces() {
        let expected = Authorization::parse(&format!(
            "AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host, Signature=00ff"
        ));
        for text in [
            format!("AWS4-HMAC-SHA256 {CREDENTIAL},SignedHeaders=host,Signature=00ff"),
            format!("AWS4-HMAC-SHA256  Signature=00ff ,  SignedHeaders=host , {CREDENTIAL},"),
            format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host, Signature=00ff, Later=1"),
        ] {
            assert_eq!(Authorization::parse(&text), expected, "{text}");
        }
    }

    #[test]
    fn a_nodes_signature_is_base64() {
        let text = format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host, Signature=ab/+cd==");
        assert_eq!(Authorization::parse(&text).unwrap().signature, "ab/+cd==");
    }

    #[test]
    fn refusals() {
        let many = (0..=SIGNED_HEADERS_MAX).map(|n| format!("h{n:03}")).collect::<Vec<_>>().join(";");
        let with_headers =
            |names: &str| format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders={names}, Signature=00");
        let syntax = Refusal::SignedHeadersSyntax;
        let missing = |parameter| Refusal::HeaderParameterMissing { parameter };
        for (text, refusal) in [
            (String::new(), Refusal::Algorithm { algorithm: String::new() }),
            ("Basic YTpi".into(), Refusal::Algorithm { algorithm: "Basic".into() }),
            ("AWS AKID:sig".into(), Refusal::Algorithm { algorithm: "AWS".into() }),
            ("aws4-hmac-sha256 x".into(), Refusal::Algorithm { algorithm: "aws4-hmac-sha256".into() }),
            (
                "AWS4-ECDSA-P256-SHA256 x=".into(),
                Refusal::Algorithm { algorithm: "AWS4-ECDSA-P256-SHA256".into() },
            ),
            ("AWS4-HMAC-SHA256".into(), missing("Credential")),
            ("AWS4-HMAC-SHA256 Credential".into(), Refusal::NotKeyValue { element: "Credential".into() }),
            ("AWS4-HMAC-SHA256 Credential=, SignedHeaders=a, Signature=b".into(), missing("Credential")),
            (format!("AWS4-HMAC-SHA256 {CREDENTIAL}, Signature=00"), missing("SignedHeaders")),
            (format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host"), missing("Signature")),
            (
                format!("AWS4-HMAC-SHA256 {CREDENTIAL}, {CREDENTIAL}, SignedHeaders=host, Signature=00"),
                Refusal::ParameterSyntax { parameter: "Credential" },
            ),
            (
                format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host, Signature=0'0"),
                Refusal::SignatureSyntax,
            ),
            (with_headers("x-amz-date;host"), syntax.clone()),
            (with_headers("host;host"), syntax.clone()),
            (with_headers("Host"), syntax.clone()),
            (with_headers("host;"), syntax.clone()),
            (with_headers("ho st"), syntax),
            (with_headers(&many), Refusal::TooManySignedHeaders { count: 65, count_max: 64 }),
            (
                "A".repeat(AUTHORIZATION_BYTES_MAX + 1),
                Refusal::TooLong { name: "Authorization", bytes: 8193, bytes_max: 8192 },
            ),
        ] {
            assert_eq!(Authorization::parse(&text), Err(refusal), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(AWS4-HMAC-SHA256 )?(Credential=|SignedHeaders=|Signature=|[a/;,=+ é]){0,12}") {
            let _ = Authorization::parse(&text);
        }
    }
}
