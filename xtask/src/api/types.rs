//! Structures and enumerations.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, bail};

use super::model::{Kind, Service, Shape};
use super::names;

/// The module of the enumerations, empty if there are none.
pub(crate) fn enums(service: &Service) -> Result<String> {
    let mut body = String::new();
    for name in service.parts() {
        let shape = service.shape(name);
        if shape.is_enum() {
            body += &enumeration(service, name, shape)?;
        }
    }
    if body.is_empty() {
        return Ok(body);
    }
    Ok(format!(
        "//! The enumerations of `{}`.\n\nuse crate::string_enum::string_enum;\n\n{body}",
        service.name
    ))
}

fn enumeration(service: &Service, name: &str, shape: &Shape) -> Result<String> {
    let mut seen = BTreeMap::new();
    let mut variants = String::new();
    for value in &shape.values {
        let variant = names::variant(value);
        if let Some(other) = seen.insert(variant.clone(), value) {
            bail!("{name}: {value} and {other} have the same Rust name");
        }
        writeln!(variants, "{variant} = {value:?},")?;
    }
    let name_in_rust = names::r#type(name);
    Ok(format!(
        "string_enum! {{\n/// {}'s `{name}`.\n{name_in_rust} {{\n{variants}}}\n}}\n\n",
        service.author
    ))
}

/// The module of the structures that inputs and outputs are made of, empty if there are none.
pub(crate) fn structures(service: &Service) -> Result<String> {
    let mut body = String::new();
    for name in service.parts() {
        let shape = service.shape(name);
        if shape.kind == Kind::Structure {
            body +=
                &structure(service, &names::r#type(name), &format!("{}'s `{name}`.", service.author), shape)?;
        }
    }
    if body.is_empty() {
        return Ok(body);
    }
    Ok(format!("//! The structures of `{}`.\n\n{}\n{body}", service.name, imports(service, &body)))
}

/// The `use` lines that the body of a module of types needs.
pub(crate) fn imports(service: &Service, body: &str) -> String {
    let mut text = String::new();
    if body.contains("BTreeMap<") {
        text += "use std::collections::BTreeMap;\n\n";
    }
    text += "use serde::{Deserialize, Serialize};\n\n";
    let parts = service.parts();
    let mentions = |is_wanted: fn(&Shape) -> bool| {
        parts.iter().any(|name| {
            let name_in_rust = names::r#type(name);
            is_wanted(service.shape(name))
                && !body.contains(&format!("pub struct {name_in_rust} "))
                && [":", "<", " "].iter().any(|before| {
                    [",", ">"].iter().any(|after| body.contains(&format!("{before}{name_in_rust}{after}")))
                })
        })
    };
    if mentions(Shape::is_enum) {
        text += "use super::enums::*;\n";
    }
    if mentions(|shape| shape.kind == Kind::Structure) {
        text += "use super::structures::*;\n";
    }
    let own: Vec<&str> = ["Blob", "Secret", "Timestamp"]
        .into_iter()
        .filter(|name| body.contains(&format!("{name}>")) || body.contains(&format!(": {name},")))
        .collect();
    if !own.is_empty() {
        let _ = writeln!(text, "use crate::{{{}}};", own.join(", "));
    }
    text
}

/// One structure with its serde form.
pub(crate) fn structure(service: &Service, name: &str, doc: &str, shape: &Shape) -> Result<String> {
    let mut fields = String::new();
    let mut has_default = true;
    for (member, reference) in &shape.members {
        let wire_name = Shape::wire_name(member, reference);
        let field = names::field(member);
        let target = service.shape(&reference.shape);
        let mut serde = Vec::new();
        if names::serde_pascal(&field) != wire_name {
            serde.push(format!("rename = {wire_name:?}"));
        }
        let mut rust_type = rust_type(service, &reference.shape);
        let is_required = shape.required.contains(member);
        if is_required {
            has_default = false;
        } else {
            rust_type = format!("Option<{rust_type}>");
            serde.push("skip_serializing_if = \"Option::is_none\"".to_owned());
        }
        writeln!(fields, "/// {}", field_doc(wire_name, target, is_required))?;
        if !serde.is_empty() {
            writeln!(fields, "#[serde({})]", serde.join(", "))?;
        }
        writeln!(fields, "pub {field}: {rust_type},")?;
    }
    let default = if has_default { ", Default" } else { "" };
    let rename = if fields.is_empty() { "" } else { "#[serde(rename_all = \"PascalCase\")]\n" };
    Ok(format!(
        "/// {doc}\n#[derive(Debug, Clone, PartialEq{default}, Serialize, Deserialize)]\n{rename}pub struct {name} {{\n{fields}}}\n\n"
    ))
}

/// What the model demands of a member, in words.
fn field_doc(wire_name: &str, shape: &Shape, is_required: bool) -> String {
    let required = if is_required { "; required" } else { "" };
    let limits = limits_in_words(shape).map(|limits| format!("; {limits}")).unwrap_or_default();
    format!("`{wire_name}`{required}{limits}")
}

/// How long or how large a value may be, if the model says so.
pub(crate) fn limits_in_words(shape: &Shape) -> Option<String> {
    let unit = match shape.kind {
        Kind::String => " characters",
        Kind::List => " items",
        Kind::Map => " entries",
        Kind::Blob => " bytes",
        _ => "",
    };
    match (shape.min, shape.max) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}{unit}")),
        (Some(min), None) => Some(format!("at least {min}{unit}")),
        (None, Some(max)) => Some(format!("at most {max}{unit}")),
        (None, None) => None,
    }
}

fn rust_type(service: &Service, name: &str) -> String {
    let shape = service.shape(name);
    let of = |reference: &Option<super::model::Reference>| {
        rust_type(service, &reference.as_ref().expect("lists and maps name what they hold").shape)
    };
    match shape.kind {
        Kind::Structure => names::r#type(name),
        Kind::List => format!("Vec<{}>", of(&shape.member)),
        Kind::Map => format!("BTreeMap<String, {}>", of(&shape.value)),
        Kind::String if shape.is_enum() => names::r#type(name),
        Kind::String if shape.sensitive => "Secret".to_owned(),
        Kind::String => "String".to_owned(),
        Kind::Integer => "i32".to_owned(),
        Kind::Long => "i64".to_owned(),
        Kind::Double => "f64".to_owned(),
        Kind::Boolean => "bool".to_owned(),
        Kind::Timestamp => "Timestamp".to_owned(),
        Kind::Blob => "Blob".to_owned(),
    }
}
