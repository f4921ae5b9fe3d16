//! The shapes as data: of every input, and of the outputs that are written as XML.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::Result;

use super::model::{Kind, Reference, Service, Shape};
use super::{names, patterns};

/// The module of the shapes.
pub(crate) fn module(service: &Service) -> Result<String> {
    let is_query = service.metadata.protocol == "query";
    let roots = service.inputs().chain(service.outputs().filter(|_| is_query));
    let mut body = String::new();
    let mut pattern_sources = BTreeSet::new();
    for name in service.reachable(roots) {
        let shape = service.shape(name);
        pattern_sources.extend(shape.pattern.as_deref());
        writeln!(
            body,
            "pub(super) static {}: Shape = {};\n",
            names::constant(name),
            shape_text(service, name, shape)
        )?;
    }
    if service
        .operations
        .values()
        .any(|operation| operation.input.is_none() || (is_query && operation.output.is_none()))
    {
        body += "pub(super) static EMPTY: Shape = Shape::Structure { name: \"\", members: &[] };\n";
    }
    let mut text = format!("//! The shapes of `{}` with their constraints.\n\n", service.name);
    let mut imports = BTreeSet::from(["Shape"]);
    imports.extend(["Limits", "Member"].into_iter().filter(|name| body.contains(&format!("{name} "))));
    imports.extend(body.contains("Limits::").then_some("Limits"));
    if !pattern_sources.is_empty() {
        imports.insert("Pattern");
        text += "use crate::shape::regex;\n";
    }
    writeln!(text, "use crate::{{{}}};\n", imports.into_iter().collect::<Vec<_>>().join(", "))?;
    for (index, source) in pattern_sources.iter().enumerate() {
        let expression = patterns::expression(source)?;
        writeln!(
            text,
            "static PATTERN_{index}: Pattern = Pattern::new({}, || regex({}));\n",
            raw(source),
            raw(&expression)
        )?;
    }
    let sources: Vec<&str> = pattern_sources.into_iter().collect();
    Ok(text + &with_pattern_names(&body, &sources))
}

/// A raw string literal; no pattern holds `"##`.
fn raw(text: &str) -> String {
    if text.contains('"') { format!("r##\"{text}\"##") } else { format!("r\"{text}\"") }
}

/// Shapes name their pattern by its text until all patterns are known and numbered.
fn with_pattern_names(body: &str, sources: &[&str]) -> String {
    let mut text = body.to_owned();
    for (index, source) in sources.iter().enumerate() {
        text = text.replace(&pattern_placeholder(source), &format!("Some(&PATTERN_{index})"));
    }
    text
}

fn pattern_placeholder(source: &str) -> String {
    format!("<pattern {source}>")
}

fn shape_text(service: &Service, name: &str, shape: &Shape) -> String {
    let limits = limits(shape);
    match shape.kind {
        Kind::Structure => {
            let members: String = shape
                .members
                .iter()
                .map(|(member, reference)| member_text(shape, member, reference))
                .collect();
            format!("Shape::Structure {{ name: {name:?}, members: &[{members}] }}")
        }
        Kind::List => {
            let item = shape.member.as_ref().expect("a list names its items");
            let item_name =
                (!shape.flattened).then(|| item.location_name.clone().unwrap_or_else(|| "member".to_owned()));
            format!(
                "Shape::List {{ item: &{}, item_name: {item_name:?}, length: {limits} }}",
                names::constant(&item.shape)
            )
        }
        Kind::Map => {
            let constant = |reference: &Option<Reference>| {
                names::constant(&reference.as_ref().expect("a map names keys and values").shape)
            };
            format!(
                "Shape::Map {{ key: &{}, value: &{}, length: {limits} }}",
                constant(&shape.key),
                constant(&shape.value)
            )
        }
        Kind::String => {
            let pattern = shape.pattern.as_deref().map_or_else(|| "None".to_owned(), pattern_placeholder);
            let values = if shape.is_enum() && service.parts().contains(name) {
                format!("super::{}::VALUES", names::r#type(name))
            } else {
                "&[]".to_owned()
            };
            format!(
                "Shape::Text {{ length: {limits}, pattern: {pattern}, values: {values}, sensitive: {} }}",
                shape.sensitive
            )
        }
        Kind::Integer => format!("Shape::Integer({limits})"),
        Kind::Long => format!("Shape::Long({limits})"),
        Kind::Double => "Shape::Double".to_owned(),
        Kind::Boolean => "Shape::Boolean".to_owned(),
        Kind::Timestamp => "Shape::Timestamp".to_owned(),
        Kind::Blob => format!("Shape::Blob({limits})"),
    }
}

fn member_text(shape: &Shape, member: &str, reference: &Reference) -> String {
    format!(
        "Member {{ name: {:?}, shape: &{}, required: {} }},",
        Shape::wire_name(member, reference),
        names::constant(&reference.shape),
        shape.required.iter().any(|name| name == member)
    )
}

fn limits(shape: &Shape) -> String {
    match (shape.min, shape.max) {
        (None, None) => "Limits::NONE".to_owned(),
        (min, max) => format!("Limits {{ min: {min:?}, max: {max:?} }}"),
    }
}
