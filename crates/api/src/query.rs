//! The Query protocol: a form in, XML out.

mod form;
pub(crate) mod xml;

pub use form::Form;

use crate::{Answer, ApiError, QueryRequest, json};
use xml::Elements;

/// The content type of answers.
pub const CONTENT_TYPE: &str = "text/xml";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Operation, sts};

    #[test]
    fn caller_identity_in_and_out() {
        let form = Form::parse("Action=GetCallerIdentity&Version=2011-06-15").unwrap();
        let operation = Operation::from_action(form.get("Version").unwrap(), form.get("Action").unwrap());
        assert_eq!(operation, Some(Operation::Sts(sts::Operation::GetCallerIdentity)));
        decode::<sts::GetCallerIdentityInput>(&form).unwrap();
        let output = sts::GetCallerIdentityOutput {
            user_id: Some("AIDAAAAAAAAAAAAAAAAAA".to_owned()),
            account: Some("000000000000".to_owned()),
            arn: Some("arn:aws:iam::000000000000:user/a&b".to_owned()),
        };
        let answer = encode::<sts::GetCallerIdentityInput>(&output, "01234567-89ab-cdef-0123-456789abcdef");
        insta::assert_snapshot!(String::from_utf8(answer.body).unwrap(), @r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><UserId>AIDAAAAAAAAAAAAAAAAAA</UserId><Account>000000000000</Account><Arn>arn:aws:iam::000000000000:user/a&amp;b</Arn></GetCallerIdentityResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#);
    }
}
