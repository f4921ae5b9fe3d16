//! The errors of a service's model.

use std::fmt::Write as _;

use super::model::Service;
use super::names;

/// The module of the errors.
pub(crate) fn module(service: &Service) -> String {
    let mut text = format!("//! The errors in the model of `{}`.\n\nuse crate::ErrorCode;\n\n", service.name);
    for (name, shape) in service.shapes.iter().filter(|(_, shape)| shape.exception) {
        let wire = shape.error.as_ref();
        let code = wire.and_then(|wire| wire.code.as_deref()).unwrap_or(name);
        let status =
            wire.and_then(|wire| wire.http_status_code).unwrap_or(if shape.fault { 500 } else { 400 });
        // A model without a message member says nothing of its spelling; clients read `Message`.
        let message = shape.members.iter().map(|(member, _)| member.as_str());
        let message =
            message.into_iter().find(|name| name.eq_ignore_ascii_case("message")).unwrap_or("Message");
        let _ = writeln!(
            text,
            "/// `{code}`\npub const {}: ErrorCode = ErrorCode {{ name: {code:?}, status: {status}, message_member: {message:?} }};\n",
            names::constant(name)
        );
    }
    text
}
