//! The same operations for the console: types, the operations as values, and how to read their XML.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Result, bail};

use super::files::File;
use super::model::{Kind, Operation, Reference, Service, Shape};
use super::types;

/// Services that only nodes call.
const NOT_OF_CONSOLE: [&str; 1] = ["ec2messages"];

/// One file a service.
pub(crate) fn files(services: &[Service]) -> Result<Vec<File>> {
    services
        .iter()
        .filter(|service| !NOT_OF_CONSOLE.contains(&service.name.as_str()))
        .map(|service| Ok(File::new(format!("generated/{}.ts", service.name), module(service)?)))
        .collect()
}

fn module(service: &Service) -> Result<String> {
    let is_query = service.metadata.protocol == "query";
    let mut text = format!("// The operations of `{}`.\n\n", service.name);
    let shape_import = if is_query { ", Shape" } else { "" };
    writeln!(text, "import type {{ Operation, Service{shape_import} }} from '../operation.ts';\n")?;
    text += &service_value(service);
    for name in service.parts() {
        let shape = service.shape(name);
        if shape.is_enum() {
            let values: Vec<String> = shape.values.iter().map(|value| quoted(value)).collect();
            writeln!(text, "export type {} = {};\n", type_name(name), values.join(" | "))?;
        } else if shape.kind == Kind::Structure {
            text += &interface(service, &type_name(name), shape);
        }
    }
    if is_query {
        text += &xml_shapes(service)?;
    }
    for (name, operation) in &service.operations {
        text += &operation_value(service, name, operation);
    }
    text.truncate(text.trim_end().len());
    Ok(text + "\n")
}

fn service_value(service: &Service) -> String {
    let metadata = &service.metadata;
    let signing_name = metadata.signing_name.as_ref().unwrap_or(&metadata.endpoint_prefix);
    let (protocol, version) = match &metadata.target_prefix {
        Some(prefix) => ("json", format!("targetPrefix: {}", quoted(prefix))),
        None => {
            ("query", format!("version: {}", quoted(metadata.api_version.as_deref().unwrap_or_default())))
        }
    };
    format!(
        "const service: Service = {{ name: {}, protocol: '{protocol}', {version} }};\n\n",
        quoted(signing_name)
    )
}

fn operation_value(service: &Service, name: &str, operation: &Operation) -> String {
    let mut text = String::new();
    for (end, reference) in [("Input", &operation.input), ("Output", &operation.output)] {
        let type_name = format!("{name}{end}");
        text += &match reference {
            Some(reference) => interface(service, &type_name, service.shape(&reference.shape)),
            None => format!("export type {type_name} = Readonly<Record<string, never>>;\n\n"),
        };
    }
    let output = match &operation.output {
        Some(output) if service.metadata.protocol == "query" => {
            format!(", output: {}", members_as_shape(service, service.shape(&output.shape)))
        }
        _ if service.metadata.protocol == "query" => ", output: {}".to_owned(),
        _ => String::new(),
    };
    let _ = writeln!(
        text,
        "export const {name}: Operation<{name}Input, {name}Output> = {{ service, name: '{name}'{output} }};\n"
    );
    text
}

fn interface(service: &Service, name: &str, shape: &Shape) -> String {
    if shape.members.is_empty() {
        return format!("export type {name} = Readonly<Record<string, never>>;\n\n");
    }
    let mut members = String::new();
    for (member, reference) in &shape.members {
        if let Some(limits) = types::limits_in_words(service.shape(&reference.shape)) {
            let _ = writeln!(members, "  /** {limits} */");
        }
        let member_type = member_type(service, &reference.shape);
        let wire_name = Shape::wire_name(member, reference);
        let _ = if shape.required.contains(member) {
            writeln!(members, "  readonly {wire_name}: {member_type};")
        } else {
            writeln!(members, "  readonly {wire_name}?: {member_type} | undefined;")
        };
    }
    format!("export interface {name} {{\n{members}}}\n\n")
}

fn member_type(service: &Service, name: &str) -> String {
    let shape = service.shape(name);
    match shape.kind {
        Kind::Structure => type_name(name),
        Kind::List => {
            let item = member_type(service, held(&shape.member));
            if item.contains(' ') { format!("readonly ({item})[]") } else { format!("readonly {item}[]") }
        }
        Kind::Map => format!("Readonly<Record<string, {}>>", member_type(service, held(&shape.value))),
        Kind::String if shape.is_enum() => type_name(name),
        Kind::String | Kind::Blob => "string".to_owned(),
        Kind::Integer | Kind::Long | Kind::Double | Kind::Timestamp => "number".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
    }
}

/// How to read the structures of the outputs, each after those that it is made of.
fn xml_shapes(service: &Service) -> Result<String> {
    let mut order = Vec::new();
    for operation in service.operations.values() {
        for (_, member) in operation.output.iter().flat_map(|output| &service.shape(&output.shape).members) {
            visit(service, &member.shape, &mut order, &mut BTreeSet::new())?;
        }
    }
    Ok(order
        .into_iter()
        .map(|name| {
            let shape = members_as_shape(service, service.shape(&name));
            format!("const {}Shape: Shape = {shape};\n\n", type_name(&name))
        })
        .collect())
}

fn visit(service: &Service, name: &str, order: &mut Vec<String>, open: &mut BTreeSet<String>) -> Result<()> {
    let shape = service.shape(name);
    if order.iter().any(|known| known == name) {
        return Ok(());
    }
    if !open.insert(name.to_owned()) {
        bail!("{name} contains itself, which the console's XML reader does not know");
    }
    for reference in shape.references() {
        visit(service, &reference.shape, order, open)?;
    }
    open.remove(name);
    if shape.kind == Kind::Structure {
        order.push(name.to_owned());
    }
    Ok(())
}

/// A structure as `Shape` of `operation.ts`: only the members that are not text.
fn members_as_shape(service: &Service, shape: &Shape) -> String {
    let members: Vec<String> = shape
        .members
        .iter()
        .map(|(member, reference)| {
            (Shape::wire_name(member, reference), xml_shape(service, &reference.shape))
        })
        .filter(|(_, shape)| shape != "'s'")
        .map(|(member, shape)| format!("{member}: {shape}"))
        .collect();
    if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
}

fn xml_shape(service: &Service, name: &str) -> String {
    let shape = service.shape(name);
    match shape.kind {
        Kind::Structure => format!("{}Shape", type_name(name)),
        Kind::List => format!("[{}]", xml_shape(service, held(&shape.member))),
        Kind::Map => format!("['s', {}]", xml_shape(service, held(&shape.value))),
        Kind::String | Kind::Blob => "'s'".to_owned(),
        Kind::Integer | Kind::Long | Kind::Double => "'n'".to_owned(),
        Kind::Boolean => "'b'".to_owned(),
        Kind::Timestamp => "'t'".to_owned(),
    }
}

fn held(reference: &Option<Reference>) -> &str {
    &reference.as_ref().expect("lists and maps name what they hold").shape
}

/// AWS's spelling with a capital first, as types are written.
fn type_name(name: &str) -> String {
    let mut characters = name.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + characters.as_str())
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
