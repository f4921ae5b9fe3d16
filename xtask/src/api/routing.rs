//! The services and operations together: what a server needs to route a request.

use std::fmt::Write as _;

use super::files::File;
use super::model::Service;
use super::names;

/// The module above the services' modules.
pub(crate) fn file(services: &[Service]) -> File {
    let mut text = "//! The services and their operations.\n\n".to_owned();
    for service in services {
        let _ = writeln!(text, "pub mod {};", service.name);
    }
    text += "\nuse crate::Protocol;\n\n";
    text += &service_enum(services);
    text += &operation_enum(services);
    File::new("generated.rs", text)
}

/// A `match` over all services with one expression each.
fn arms(services: &[Service], pattern: &str, expression: impl Fn(&Service) -> String) -> String {
    services
        .iter()
        .map(|service| {
            format!("Self::{}{pattern} => {},\n", names::variant(&service.name), expression(service))
        })
        .collect()
}

fn service_enum(services: &[Service]) -> String {
    let variants: String = services
        .iter()
        .map(|service| format!("/// `{}`\n{},\n", service.name, names::variant(&service.name)))
        .collect();
    let all = services.iter().map(|service| format!("Self::{}", names::variant(&service.name)));
    format!(
        "/// A service: of AWS's, or Postern's own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Service {{\n{variants}}}

        impl Service {{
            /// Every service.
            pub const ALL: &'static [Self] = &[{}];

            /// The service in a signature's scope, and before the colon of its actions.
            #[must_use]
            pub const fn signing_name(self) -> &'static str {{
                match self {{\n{}}}
            }}

            /// How requests and answers are written.
            #[must_use]
            pub const fn protocol(self) -> Protocol {{
                match self {{\n{}}}
            }}

            /// What `X-Amz-Target` says before the dot.
            #[must_use]
            pub const fn target_prefix(self) -> Option<&'static str> {{
                match self {{\n{}}}
            }}

            /// The date that names the version of the API.
            #[must_use]
            pub const fn api_version(self) -> Option<&'static str> {{
                match self {{\n{}}}
            }}

            /// The namespace of XML answers.
            #[must_use]
            pub const fn xml_namespace(self) -> Option<&'static str> {{
                match self {{\n{}}}
            }}

            /// Its operations, by name.
            pub fn operations(self) -> impl Iterator<Item = Operation> {{
                Operation::ALL.iter().copied().filter(move |operation| operation.service() == self)
            }}
        }}\n\n",
        all.collect::<Vec<_>>().join(", "),
        arms(services, "", |service| {
            format!(
                "{:?}",
                service.metadata.signing_name.as_ref().unwrap_or(&service.metadata.endpoint_prefix)
            )
        }),
        arms(services, "", |service| {
            format!("Protocol::{}", if service.metadata.protocol == "query" { "Query" } else { "Json" })
        }),
        arms(services, "", |service| format!("{:?}", service.metadata.target_prefix)),
        arms(services, "", |service| format!("{:?}", service.metadata.api_version)),
        arms(services, "", |service| format!("{:?}", service.metadata.xml_namespace)),
    )
}

fn operation_enum(services: &[Service]) -> String {
    let mut variants = String::new();
    let mut all = String::new();
    for service in services {
        let (name, variant) = (&service.name, names::variant(&service.name));
        let _ = writeln!(variants, "/// One of `{name}`.\n{variant}({name}::Operation),");
        for operation in service.operations.keys() {
            let _ = write!(all, "Self::{variant}({name}::Operation::{operation}), ");
        }
    }
    format!(
        "/// An operation of any service.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Operation {{\n{variants}}}

        impl Operation {{
            /// Every operation of every service.
            pub const ALL: &'static [Self] = &[{all}];

            /// The service it belongs to.
            #[must_use]
            pub const fn service(self) -> Service {{
                match self {{\n{}}}
            }}

            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {{
                match self {{\n{}}}
            }}
        }}\n",
        arms(services, "(_)", |service| format!("Service::{}", names::variant(&service.name))),
        arms(services, "(operation)", |_| "operation.name()".to_owned()),
    )
}
