//! Errors in the form of S3.

use std::borrow::Cow;

/// An error's answer, for refusals that come before the operation is known: of the signature, for example.
///
/// Source: "REST error responses", Amazon S3 API Reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorAnswer<'a> {
    /// The code that clients match on.
    pub code: &'a str,
    /// The text for people.
    pub message: &'a str,
    /// The path that was asked for.
    pub resource: &'a str,
    /// The request.
    pub request_id: &'a str,
}

impl ErrorAnswer<'_> {
    /// The content type of [`Self::body`].
    pub const CONTENT_TYPE: &'static str = "application/xml";

    /// The body.
    #[must_use]
    pub fn body(&self) -> String {
        let Self { code, message, resource, request_id } = self;
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>\
             <Resource>{}</Resource><RequestId>{}</RequestId></Error>",
            escaped(code),
            escaped(message),
            escaped(resource),
            escaped(request_id)
        )
    }
}

/// Text of an element. Characters that XML cannot hold are replaced.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !matches!(c, '<' | '>' | '&') && (c >= ' ' || matches!(c, '\t' | '\n'));
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            c if is_plain(c) => escaped.push(c),
            _ => escaped.push('\u{fffd}'),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_xml_whatever_is_in_it() {
        let answer =
            ErrorAnswer { code: "AccessDenied", message: "<no> & \u{1}", resource: "/b/k", request_id: "R" };
        let body = answer.body();
        assert!(body.ends_with(
            "<Error><Code>AccessDenied</Code><Message>&lt;no&gt; &amp; \u{fffd}</Message>\
             <Resource>/b/k</Resource><RequestId>R</RequestId></Error>"
        ));
    }
}
