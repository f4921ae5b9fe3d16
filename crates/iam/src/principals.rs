//! Who calls, and whom a resource's policy names.
//!
//! Source: "AWS JSON policy elements: Principal" and "… NotPrincipal" in the IAM User Guide.

use crate::policy::Effect;

/// Who makes a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal<'a> {
    /// The root user of an account.
    Root {
        /// `arn:aws:iam::111122223333:root`.
        arn: &'a str,
    },
    /// An IAM user.
    User {
        /// `arn:aws:iam::111122223333:user/path/alice`.
        arn: &'a str,
    },
    /// A session of a role.
    RoleSession {
        /// The role: `arn:aws:iam::111122223333:role/path/Ops`.
        role: &'a str,
        /// The session: `arn:aws:sts::111122223333:assumed-role/Ops/bob`.
        session: &'a str,
    },
    /// A session of `GetFederationToken`.
    FederatedUser {
        /// The user who asked for it: `arn:aws:iam::111122223333:user/path/alice`.
        user: &'a str,
        /// The session: `arn:aws:sts::111122223333:federated-user/bob`.
        session: &'a str,
    },
    /// Somebody whom an identity provider vouches for, who asks for a role.
    WebIdentity {
        /// `arn:aws:iam::111122223333:oidc-provider/accounts.example.com`.
        provider: &'a str,
    },
    /// A service, such as `ssm.amazonaws.com`. Guardrails do not bind it.
    Service {
        /// Its name.
        name: &'a str,
    },
}

impl<'a> Principal<'a> {
    /// The ARN by which messages and records call the caller; of a service its name.
    #[must_use]
    pub fn arn(&self) -> &'a str {
        match self {
            Self::Root { arn } | Self::User { arn } => arn,
            Self::RoleSession { session, .. } | Self::FederatedUser { session, .. } => session,
            Self::WebIdentity { provider } => provider,
            Self::Service { name } => name,
        }
    }

    /// The account whose policies bind the caller. A service and a web identity belong to none.
    #[must_use]
    pub fn account(&self) -> Option<&'a str> {
        match self {
            Self::WebIdentity { .. } | Self::Service { .. } => None,
            _ => self.arn().split(':').nth(4).filter(|account| !account.is_empty()),
        }
    }
}

/// `Principal` or `NotPrincipal`.
#[derive(Debug)]
pub(crate) struct Principals {
    pub(crate) negated: bool,
    pub(crate) listed: Vec<Listed>,
}

/// One principal that a policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listed {
    /// `"*"`.
    Everyone,
    /// `{"AWS": "*"}`: everyone who has an account.
    EveryAccount,
    /// An account, by its id or the ARN of its root user.
    Account(Box<str>),
    /// A user, a role or a session.
    Arn(Box<str>),
    /// The unique identifier of a user or role that was deleted: nobody.
    UniqueId(Box<str>),
    /// An identity provider.
    Federated(Box<str>),
    /// A service.
    Service(Box<str>),
    /// An S3 canonical user: nobody here.
    CanonicalUser(Box<str>),
}

/// How directly a resource's policy names the caller. The more direct, the fewer other policies limit what it grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum Grant {
    /// The account of the caller: it delegates, so that an identity policy must allow as well.
    Account,
    /// The role behind a session, or the user behind a federated session: limited by boundary and session policy.
    Behind,
    /// The caller itself, or everyone: within one account nothing silent limits it.
    Direct,
}

impl Principals {
    /// How directly the statement is about the caller; nothing if it is not.
    ///
    /// A caller is several principals at once: a session, its role and its account. `NotPrincipal` spares a caller only
    /// if it lists all of them, which is what the guide demands of its authors; and it spares no caller who has a
    /// permissions boundary, as the guide warns.
    ///
    /// To the guide `{"AWS": "*"}` and `"*"` are the same. Nobody who writes the first in an `Allow` means services and web
    /// identities, which have principals of their own, so it grants them nothing; a `Deny` counts in full.
    pub(crate) fn matches(&self, caller: &Principal<'_>, bounded: bool, effect: Effect) -> Option<Grant> {
        if self.negated {
            return (bounded || !self.spares(caller)).then_some(Grant::Direct);
        }
        if effect == Effect::Deny && self.listed.contains(&Listed::EveryAccount) {
            return Some(Grant::Direct);
        }
        self.listed.iter().filter_map(|listed| listed.grant(caller)).max()
    }

    fn spares(&self, caller: &Principal<'_>) -> bool {
        let lists = |grant| self.listed.iter().any(|listed| listed.grant(caller) == Some(grant));
        if self.listed.contains(&Listed::Everyone) {
            return true;
        }
        let is_somebodys = caller.account().is_some();
        if is_somebodys && self.listed.contains(&Listed::EveryAccount) {
            return true;
        }
        match caller {
            Principal::Root { .. } | Principal::WebIdentity { .. } | Principal::Service { .. } => {
                lists(Grant::Direct)
            }
            Principal::User { .. } => lists(Grant::Account) && lists(Grant::Direct),
            Principal::RoleSession { .. } | Principal::FederatedUser { .. } => {
                lists(Grant::Account) && lists(Grant::Behind) && lists(Grant::Direct)
            }
        }
    }

    pub(crate) fn element(&self) -> &'static str {
        if self.negated { "NotPrincipal" } else { "Principal" }
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.listed.iter().map(Listed::as_str)
    }
}

impl Listed {
    fn grant(&self, caller: &Principal<'_>) -> Option<Grant> {
        match (self, caller) {
            (Self::Everyone, _) => Some(Grant::Direct),
            (Self::EveryAccount, _) => caller.account().is_some().then_some(Grant::Direct),
            (Self::Account(id), _) => {
                let of_account = caller.account() == Some(id);
                let grant =
                    if matches!(caller, Principal::Root { .. }) { Grant::Direct } else { Grant::Account };
                of_account.then_some(grant)
            }
            (Self::Arn(arn), Principal::User { arn: user }) => (**arn == **user).then_some(Grant::Direct),
            (Self::Arn(arn), Principal::RoleSession { role: behind, session })
            | (Self::Arn(arn), Principal::FederatedUser { user: behind, session }) => {
                if **arn == **session {
                    Some(Grant::Direct)
                } else {
                    (**arn == **behind).then_some(Grant::Behind)
                }
            }
            (Self::Federated(arn), Principal::WebIdentity { provider }) => {
                (**arn == **provider).then_some(Grant::Direct)
            }
            (Self::Service(service), Principal::Service { name }) => {
                (**service == **name).then_some(Grant::Direct)
            }
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Everyone | Self::EveryAccount => "*",
            Self::Account(text)
            | Self::Arn(text)
            | Self::UniqueId(text)
            | Self::Federated(text)
            | Self::Service(text)
            | Self::CanonicalUser(text) => text,
        }
    }

    /// Reads a value under `AWS`; nothing if it is none.
    pub(crate) fn aws(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::EveryAccount);
        }
        if is_account(text) {
            return Some(Self::Account(text.into()));
        }
        // `AIDA…` and `AROA…` are what AWS puts in place of the ARN of a user or role that is gone.
        let prefixes = ["AIDA", "AROA", "ASCA"];
        if prefixes.iter().any(|prefix| text.starts_with(prefix)) && !text.contains(':') {
            let well_formed =
                (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
            return well_formed.then(|| Self::UniqueId(text.into()));
        }
        let segments: Vec<&str> = text.splitn(6, ':').collect();
        let &["arn", partition, service, "", account, resource] = segments.as_slice() else { return None };
        if partition.is_empty() || !is_account(account) || text.contains(['*', '?']) {
            return None;
        }
        let named = |prefixes: &[&str]| {
            prefixes.iter().any(|prefix| resource.strip_prefix(prefix).is_some_and(|name| !name.is_empty()))
        };
        match service {
            "iam" if resource == "root" => Some(Self::Account(account.into())),
            "iam" if named(&["user/", "role/"]) => Some(Self::Arn(text.into())),
            "sts" if named(&["assumed-role/", "federated-user/"]) => Some(Self::Arn(text.into())),
            _ => None,
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}
