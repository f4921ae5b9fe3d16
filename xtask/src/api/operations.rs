//! Inputs, outputs and the service's own enumeration of operations.

use std::fmt::Write as _;

use anyhow::Result;

use super::model::{Operation, Service};
use super::{names, types};

/// The module of the operations.
pub(crate) fn module(service: &Service) -> Result<String> {
    let mut body = String::new();
    for (name, operation) in &service.operations {
        for (end, reference) in [("Input", &operation.input), ("Output", &operation.output)] {
            let doc = format!("{end} of `{name}`.");
            let type_name = format!("{name}{end}");
            body += &match reference {
                Some(reference) => {
                    types::structure(service, &type_name, &doc, service.shape(&reference.shape))?
                }
                None => format!(
                    "/// {doc}\n#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]\npub struct {type_name} {{}}\n\n"
                ),
            };
        }
        body += &request(service, name, operation)?;
    }
    let imports = types::imports(service, &body);
    Ok(format!(
        "//! The operations of `{}`, each with its input and its output.\n\n{imports}use super::shapes;\nuse crate::{{Request, Shape}};\n\n{}{body}",
        service.name,
        enumeration(service)?
    ))
}

fn request(service: &Service, name: &str, operation: &Operation) -> Result<String> {
    let variant = names::variant(&service.name);
    let shape = |reference: &Option<super::model::Reference>| match reference {
        Some(reference) => format!("&shapes::{}", names::constant(&reference.shape)),
        None => "&shapes::EMPTY".to_owned(),
    };
    let mut text = format!(
        "impl Request for {name}Input {{
            type Output = {name}Output;
            const OPERATION: crate::Operation = crate::Operation::{variant}(Operation::{name});
            const INPUT: &'static Shape = {};
        }}\n\n",
        shape(&operation.input)
    );
    if service.metadata.protocol == "query" {
        let wrapper = operation.output.as_ref().and_then(|output| output.result_wrapper.as_deref());
        writeln!(
            text,
            "impl crate::QueryRequest for {name}Input {{
                const OUTPUT: &'static Shape = {};
                const RESULT_WRAPPER: Option<&'static str> = {wrapper:?};
            }}\n",
            shape(&operation.output)
        )?;
    }
    Ok(text)
}

fn enumeration(service: &Service) -> Result<String> {
    let mut variants = String::new();
    let mut names = String::new();
    for name in service.operations.keys() {
        writeln!(variants, "/// `{0}:{name}`\n{name},", service.name)?;
        writeln!(names, "Self::{name} => {name:?},")?;
    }
    Ok(format!(
        "/// An operation of `{}`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Operation {{\n{variants}}}

        impl Operation {{
            /// Every operation, by name.
            pub const ALL: &'static [Self] = &[{}];

            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {{
                match self {{\n{names}}}
            }}
        }}\n\n",
        service.name,
        service.operations.keys().map(|name| format!("Self::{name}")).collect::<Vec<_>>().join(", ")
    ))
}
