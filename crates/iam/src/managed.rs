//! The policies that every account has and nobody can change, under AWS's names, so that scripts and Terraform find them.
//!
//! Source: "AWS managed policy reference" for names, versions and dates; descriptions and documents are our own. The
//! documents of those that span all of AWS (`ReadOnlyAccess`, `SecurityAudit`) reach as far as Postern's services.

use std::sync::{Arc, OnceLock};

use crate::policy::{NamedPolicy, Policy, PolicyKind};

/// A policy that comes with Postern.
#[derive(Debug)]
pub struct ManagedPolicy {
    /// `arn:aws:iam::aws:policy/` and the name.
    pub arn: &'static str,
    /// Its unique identifier, the same in every account.
    pub id: &'static str,
    /// The version in force, the only one that is kept.
    pub version: &'static str,
    /// When AWS made it, as ISO 8601.
    pub created: &'static str,
    /// When its document became what it is.
    pub updated: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Its document.
    pub document: &'static str,
    compiled: OnceLock<Arc<Policy>>,
}

impl ManagedPolicy {
    /// Its path; all of them are at the root.
    pub const PATH: &'static str = "/";

    /// Its name, the end of its ARN.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.arn.strip_prefix(PREFIX).unwrap_or(self.arn)
    }

    /// The policy, compiled once for all accounts, and named by its ARN.
    #[must_use]
    pub fn policy(&self) -> NamedPolicy {
        let compiled = self.compiled.get_or_init(|| {
            let policy = Policy::parse(PolicyKind::Identity, self.document);
            Arc::new(policy.expect("a test reads every document that comes with the crate"))
        });
        NamedPolicy::new(self.arn, compiled.clone())
    }
}

/// All of them, by name.
#[must_use]
pub fn all() -> &'static [ManagedPolicy] {
    &ALL
}

/// The one with an ARN.
#[must_use]
pub fn find(arn: &str) -> Option<&'static ManagedPolicy> {
    ALL.iter().find(|policy| policy.arn == arn)
}

const PREFIX: &str = "arn:aws:iam::aws:policy/";

macro_rules! managed {
    ($name:literal, $id:literal, $version:literal, $created:literal, $updated:literal, $description:literal) => {
        ManagedPolicy {
            arn: concat!("arn:aws:iam::aws:policy/", $name),
            id: $id,
            version: $version,
            created: concat!($created, "T00:00:00Z"),
            updated: concat!($updated, "T00:00:00Z"),
            description: $description,
            document: include_str!(concat!("../managed/", $name, ".json")),
            compiled: OnceLock::new(),
        }
    };
}

#[rustfmt::skip]
static ALL: [ManagedPolicy; 12] = [
    managed!("AWSSystemsManagerJustInTimeAccessTokenPolicy", "ANPAPOSTERNJITACCESS", "v6", "2025-04-30", "2026-01-01",
        "What a just-in-time access token allows: shells and desktops on nodes."),
    managed!("AdministratorAccess", "ANPAPOSTERNADMINACCS", "v1", "2015-02-06", "2015-02-06",
        "Every action on every resource."),
    managed!("AmazonSSMFullAccess", "ANPAPOSTERNSSMFULLAC", "v4", "2015-05-29", "2019-11-20",
        "Every action of Systems Manager."),
    managed!("AmazonSSMManagedEC2InstanceDefaultPolicy", "ANPAPOSTERNSSMEC2DEF", "v2", "2022-08-30", "2024-07-18",
        "What an agent needs on a node that is managed by default: all but reading parameters."),
    managed!("AmazonSSMManagedInstanceCore", "ANPAPOSTERNSSMINCORE", "v2", "2019-03-15", "2019-05-23",
        "What an agent needs on a managed node."),
    managed!("AmazonSSMReadOnlyAccess", "ANPAPOSTERNSSMREADON", "v1", "2015-05-29", "2015-05-29",
        "Every action of Systems Manager that only reads."),
    managed!("IAMFullAccess", "ANPAPOSTERNIAMFULLAC", "v2", "2015-02-06", "2019-06-21",
        "Every action on users, groups, roles and policies."),
    managed!("IAMReadOnlyAccess", "ANPAPOSTERNIAMREADON", "v4", "2015-02-06", "2018-01-25",
        "Every action on users, groups, roles and policies that only reads."),
    managed!("IAMUserChangePassword", "ANPAPOSTERNIAMCHPASS", "v2", "2016-11-15", "2016-11-15",
        "A user may change the own password."),
    managed!("PowerUserAccess", "ANPAPOSTERNPOWERUSER", "v5", "2015-02-06", "2023-07-06",
        "Every action but those on users, groups, roles and policies."),
    managed!("ReadOnlyAccess", "ANPAPOSTERNREADONLYA", "v1", "2015-02-06", "2015-02-06",
        "Every action that only reads."),
    managed!("SecurityAudit", "ANPAPOSTERNSECAUDITS", "v1", "2015-02-06", "2015-02-06",
        "What an auditor of the configuration reads."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_a_policy_without_doubts() {
        for managed in all() {
            let policy = Policy::parse(PolicyKind::Identity, managed.document)
                .unwrap_or_else(|error| panic!("{}: {error}", managed.arn));
            assert!(policy.warnings().is_empty(), "{}: {:?}", managed.arn, policy.warnings());
            assert_eq!(find(managed.arn).map(ManagedPolicy::name), Some(managed.name()));
            assert_eq!(*managed.policy().name, *managed.arn);
            assert!(managed.id.starts_with("ANPA") && managed.id.len() == 20, "{}", managed.id);
            assert!(managed.created.parse::<jiff::Timestamp>().is_ok(), "{}", managed.created);
            assert!(managed.created <= managed.updated, "{}", managed.arn);
        }
        assert!(find("arn:aws:iam::aws:policy/Nothing").is_none());
    }

    #[test]
    fn no_two_are_the_same() {
        for (index, managed) in all().iter().enumerate() {
            for other in &all()[..index] {
                assert!(other.arn < managed.arn, "{} comes before {}", managed.arn, other.arn);
                assert_ne!(other.id, managed.id);
            }
        }
    }
}
