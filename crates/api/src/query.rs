//! The Query protocol: a form in, XML out.

mod form;
pub(crate) mod xml;

pub use form::Form;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Answer, ApiError, QueryRequest, json};
use xml::Elements;

/// The content type of answers.
pub const CONTENT_TYPE: &str = "text/xml";

/// What [`url_encoded`] encodes. Source of the exceptions: RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Reads an input from a form and checks every constraint of the model.
///
/// # Errors
/// `MalformedQueryString` if a value cannot be read as its type, `ValidationError` with AWS's texts if constraints
/// are violated.
pub fn decode<T: QueryRequest>(form: &Form) -> Result<T, ApiError> {
    json::from_value(form.to_value(T::INPUT))
}

/// The whole answer of an operation.
pub fn encode<T: QueryRequest>(output: &T::Output, request_id: &str) -> Answer {
    let operation = T::OPERATION;
    let namespace = operation.service().xml_namespace().map(|namespace| ("xmlns", namespace));
    let mut elements = Elements::new();
    elements.within(&format!("{}Response", operation.name()), namespace, |elements| {
        if let Some(wrapper) = T::RESULT_WRAPPER {
            elements.value(wrapper, T::OUTPUT, &json::to_value(output));
        }
        elements.within("ResponseMetadata", None, |elements| elements.text("RequestId", request_id));
    });
    Answer {
        status: 200,
        headers: vec![("content-type", CONTENT_TYPE.to_owned())],
        body: elements.into_bytes(),
    }
}

/// A text as IAM answers with policy documents: every byte percent-encoded but RFC 3986's unreserved ones.
///
/// Source: "GetPolicyVersion", IAM API Reference. Clients decode it before they show it.
#[must_use]
pub fn url_encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests;
