//! Signing in to the console and what belongs to it, as AWS's sign-in service records them.
//!
//! Source: "AWS Management Console sign-in events", AWS CloudTrail User Guide.

use postern_audit::{EventType, HIDDEN, IdentityType, UserIdentity};
use postern_ids::{Arn, UserName};
use postern_store::User;
use serde_json::json;

use super::entry::{Entry, What, Who};
use super::operation::Described;

/// A step of signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignInEvent {
    /// Signing in, or failing to.
    ConsoleLogin,
    /// A right password for which a second factor is asked.
    CheckMfa,
    /// A new password, where the old one had to be changed or there was none.
    PasswordUpdated,
    /// Acting as a role from now on, or no longer.
    SwitchRole,
    /// Signing out.
    SignOut,
    /// Seeing who is signed in.
    ListSignIns,
    /// Ending a sign-in from elsewhere.
    EndSignIn,
    /// Seeing one's own passkeys.
    ListPasskeys,
    /// Asking for a new passkey, with the password. That it is there is `EnableMFADevice`.
    BeginPasskeyRegistration,
    /// Another name for a passkey.
    RenamePasskey,
}

impl SignInEvent {
    fn name(self) -> &'static str {
        match self {
            Self::ConsoleLogin => "ConsoleLogin",
            Self::CheckMfa => "CheckMfa",
            Self::PasswordUpdated => "PasswordUpdated",
            Self::SwitchRole => "SwitchRole",
            Self::SignOut => "SignOut",
            Self::ListSignIns => "ListSignIns",
            Self::EndSignIn => "EndSignIn",
            Self::ListPasskeys => "ListPasskeys",
            Self::BeginPasskeyRegistration => "BeginPasskeyRegistration",
            Self::RenamePasskey => "RenamePasskey",
        }
    }

    /// What others than the browser that asks can notice goes on the trail before it is done.
    fn changes(self) -> bool {
        matches!(self, Self::PasswordUpdated | Self::SwitchRole | Self::EndSignIn | Self::RenamePasskey)
    }
}

impl Entry {
    /// It is a step of signing in. Until somebody is known, it is an attempt of a stranger.
    pub(crate) fn sign_in_event(&self, event: SignInEvent) {
        let is_read_only = matches!(event, SignInEvent::ListSignIns | SignInEvent::ListPasskeys);
        self.operation(Described {
            service: "signin",
            name: event.name(),
            api_version: None,
            is_read_only,
            changes: event.changes(),
            shows_answer: false,
            is_routine_of_nodes: false,
        });
        let mut draft = self.draft();
        draft.record.event_type = EventType::AwsConsoleSignIn;
        if !is_read_only {
            draft.record.response_elements = Some(json!({ event.name(): "Success" }));
        }
    }

    /// Who tries to sign in: by name if there is such a user. People type passwords into the field of the name.
    pub(crate) fn sign_in_of(&self, known: Option<&UserName>) {
        let name = known.map_or(HIDDEN, UserName::as_str);
        self.draft().record.user_identity = UserIdentity {
            account_id: Some(self.account().clone()),
            access_key_id: Some(String::new()),
            user_name: Some(name.to_owned()),
            ..UserIdentity::new(IdentityType::IamUser)
        };
    }

    /// Who has proved to be this user.
    pub(crate) fn signed_in_user(&self, user: &User) {
        let account = self.account().clone();
        let mut draft = self.draft();
        draft.record.user_identity = UserIdentity {
            principal_id: Some(user.id.to_string()),
            arn: Some(Arn::user(&account, &user.path, &user.name).to_string()),
            account_id: Some(account),
            user_name: Some(user.name.to_string()),
            ..UserIdentity::new(IdentityType::IamUser)
        };
        draft.who = Who::Person;
    }
}

/// What a record of a failed step says in the place of an answer; `None`: the step is none of signing in.
pub(super) fn failed(what: What) -> Option<serde_json::Value> {
    match what {
        What::Known(Described { service: "signin", name, is_read_only: false, .. }) => {
            Some(json!({ name: "Failure" }))
        }
        _ => None,
    }
}
