//! The right to a session: what `StartSession` asks, and how it is asked again while the session lives.

use std::net::IpAddr;
use std::sync::Arc;

use postern_ids::{AccessKeyId, AccountId, Arn, NodeId, Region};
use postern_store::Tag;
use serde::{Deserialize, Serialize};

use super::session_token::Bearer;
use super::{Caller, Check, Destination, Principal, RequestContext, TokenFacts};
use crate::config::DocumentCheck;

/// Says whether `StartSession` looks at the right to the document although nobody named it.
/// Source: "Actions, resources, and condition keys for AWS Systems Manager", Service Authorization Reference.
const DOCUMENT_CHECK_KEY: &str = "ssm:SessionDocumentAccessCheck";

/// Whether the caller of `StartSession` named a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DocumentChoice {
    /// It did.
    Named,
    /// It did not: the account's default document is meant.
    Default,
}

/// The sets of checks of `StartSession`, in the order in which they are tried: `on_node` and `on_document` are the
/// operation on the one and on the other.
///
/// With a name, node and document are checked and the key is absent. Without one AWS today checks both, with the key
/// `true`; until 2025 it looked at the node alone first, with the key `false`.
#[must_use]
pub fn start_session_checks(
    on_node: &Check,
    on_document: &Check,
    choice: DocumentChoice,
    setting: DocumentCheck,
) -> Vec<Vec<Check>> {
    let with_key = |check: &Check, value: bool| check.clone().with(DOCUMENT_CHECK_KEY, value);
    let both = || vec![with_key(on_node, true), with_key(on_document, true)];
    match (choice, setting) {
        (DocumentChoice::Named, _) => vec![vec![on_node.clone(), on_document.clone()]],
        (DocumentChoice::Default, DocumentCheck::Always) => vec![both()],
        (DocumentChoice::Default, DocumentCheck::Legacy) => vec![vec![with_key(on_node, false)], both()],
    }
}

/// The sets of checks of a session with all of its destinations: what `sets` makes of each, put together. Without any,
/// policies are asked once, without keys of a destination.
#[must_use]
pub fn for_each_destination(
    destinations: &[Destination],
    sets: impl Fn(&dyn Fn(Check) -> Check) -> Vec<Vec<Check>>,
) -> Vec<Vec<Check>> {
    let Some((first, others)) = destinations.split_first() else { return sets(&|check| check) };
    let mut all = sets(&|check| first.describe(check));
    for destination in others {
        let more = sets(&|check| destination.describe(check));
        all.iter_mut().zip(more).for_each(|(checks, more)| checks.extend(more));
    }
    all
}

/// What the right to a session rested on when it started. It is stored with the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRight {
    /// Who started it.
    pub bearer: Bearer,
    /// With which access key.
    pub access_key_id: Option<AccessKeyId>,
    /// What the session token said, if it was temporary credentials.
    pub token: Option<TokenFacts>,
    /// For which region the request was.
    pub region: Option<String>,
    /// Where it came from.
    pub source_ip: IpAddr,
    /// The circumstances.
    pub request: RequestContext,
    /// The document.
    pub document: Arn,
    /// Its tags, for when it is gone.
    #[serde(default)]
    pub document_tags: Vec<Tag>,
    /// Whether it was named.
    pub choice: DocumentChoice,
    /// Where the connections of the session lead, if its document says that.
    #[serde(default)]
    pub destination: Option<Destination>,
    /// Where its client said that they will lead, if each is asked for by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<Destination>,
}

impl SessionRight {
    /// What to remember of a call of `StartSession`. `None`: its caller has no credentials of IAM.
    #[must_use]
    pub fn of(
        caller: &Caller,
        request: &RequestContext,
        document: Arn,
        document_tags: &[Tag],
        choice: DocumentChoice,
    ) -> Option<Self> {
        Some(Self {
            bearer: caller.bearer()?,
            access_key_id: caller.access_key_id.as_deref().and_then(|key| key.parse().ok()),
            token: caller.token.as_deref().cloned(),
            region: caller.region.clone(),
            source_ip: caller.source_ip,
            request: request.clone(),
            document,
            document_tags: document_tags.to_vec(),
            choice,
            destination: None,
            declared: Vec::new(),
        })
    }

    /// With where the connections of the session lead.
    #[must_use]
    pub fn leading_to(self, destination: Option<Destination>) -> Self {
        Self { destination, ..self }
    }

    /// With where its client said that they will lead.
    #[must_use]
    pub fn declaring(self, declared: Vec<Destination>) -> Self {
        Self { declared, ..self }
    }

    /// The token's facts, to be shared.
    #[must_use]
    pub fn token(&self) -> Option<Arc<TokenFacts>> {
        self.token.clone().map(Arc::new)
    }

    /// The caller of then, as `principal` is called now.
    #[must_use]
    pub fn caller(&self, principal: Principal, token: Option<Arc<TokenFacts>>) -> Caller {
        Caller {
            principal,
            access_key_id: self.access_key_id.as_ref().map(ToString::to_string),
            region: self.region.clone(),
            source_ip: self.source_ip,
            token,
        }
    }

    /// What `StartSession` would ask today: the first of these that is allowed keeps the session. Of several places where it was
    /// to lead one is enough, since each connection is asked for by itself.
    #[must_use]
    pub fn checks(&self, circumstances: &Circumstances<'_>) -> Vec<Vec<Vec<Check>>> {
        match (&self.destination, self.declared.as_slice()) {
            (Some(destination), _) => vec![self.checks_of(Some(destination), circumstances)],
            (None, []) => vec![self.checks_of(None, circumstances)],
            (None, declared) => declared.iter().map(|one| self.checks_of(Some(one), circumstances)).collect(),
        }
    }

    /// What `StartSession` would ask today if it led there.
    #[must_use]
    pub fn checks_of(
        &self,
        destination: Option<&Destination>,
        circumstances: &Circumstances<'_>,
    ) -> Vec<Vec<Check>> {
        let Circumstances { node, node_tags, document_tags, region, account, setting } = *circumstances;
        let start = || {
            let check = Check::new(postern_api::ssm::Operation::StartSession);
            match destination {
                Some(destination) => destination.describe(check),
                None => check,
            }
        };
        let on_node = start()
            .on(Arn::managed_instance(region, account, node))
            .about_node(Some(node))
            .with_resource_tags(node_tags);
        let on_document = start().on(self.document.clone()).with_resource_tags(document_tags);
        start_session_checks(&on_node, &on_document, self.choice, setting)
    }
}

/// What is known besides of a session that is looked at again.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The node.
    pub node: &'a NodeId,
    /// Its tags.
    pub node_tags: &'a [Tag],
    /// Those of the session's document.
    pub document_tags: &'a [Tag],
    /// Of this deployment.
    pub region: &'a Region,
    /// Likewise.
    pub account: &'a AccountId,
    /// When the right to the document is asked for.
    pub setting: DocumentCheck,
}

#[cfg(test)]
mod tests {
    use postern_iam::Value;

    use super::*;

    fn keys(choice: DocumentChoice, setting: DocumentCheck) -> Vec<Vec<(String, Option<Value>)>> {
        let start = || Check::new(postern_api::ssm::Operation::StartSession);
        let on = |arn: &str| start().on(arn.parse().unwrap());
        let node = on("arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0");
        let document = on("arn:aws:ssm:us-east-1:111122223333:document/SSM-SessionManagerRunShell");
        let sets = start_session_checks(&node, &document, choice, setting);
        let shown = |check: &Check| {
            let kind = if check.resource().contains("document/") { "document" } else { "node" };
            let key = check.keys.iter().find(|(name, _)| name == DOCUMENT_CHECK_KEY);
            (kind.to_owned(), key.map(|(_, value)| value.clone()))
        };
        sets.iter().map(|set| set.iter().map(shown).collect()).collect()
    }

    #[test]
    fn the_key_tells_whether_a_document_was_named() {
        let is = |value: &str| Some(Value::Single(value.to_owned()));
        let (node, document) = ("node".to_owned(), "document".to_owned());
        let named = vec![vec![(node.clone(), None), (document.clone(), None)]];
        let both = vec![(node.clone(), is("true")), (document.clone(), is("true"))];
        let node_alone = vec![(node, is("false"))];
        for (choice, setting, expected) in [
            (DocumentChoice::Named, DocumentCheck::Always, named.clone()),
            (DocumentChoice::Named, DocumentCheck::Legacy, named),
            (DocumentChoice::Default, DocumentCheck::Always, vec![both.clone()]),
            (DocumentChoice::Default, DocumentCheck::Legacy, vec![node_alone, both]),
        ] {
            assert_eq!(keys(choice, setting), expected, "{choice:?} {setting:?}");
        }
    }

    #[test]
    fn a_right_survives_being_stored() {
        let caller = Caller {
            access_key_id: Some("AKIAAAAAAAAAAAAAAAAA".to_owned()),
            ..Caller::unsigned(
                Principal::User {
                    name: "alice".parse().unwrap(),
                    id: "AIDAAAAAAAAAAAAAAAAAA".parse().unwrap(),
                    arn: "arn:aws:iam::111122223333:user/alice".parse().unwrap(),
                },
                "192.0.2.7".parse().unwrap(),
            )
        };
        let request = RequestContext {
            request_id: "r".to_owned(),
            at: "2026-11-27T08:00:00Z".parse().unwrap(),
            user_agent: None,
            referer: None,
        };
        let document = "arn:aws:ssm:us-east-1::document/AWS-StartSSHSession".parse().unwrap();
        let right = SessionRight::of(&caller, &request, document, &[], DocumentChoice::Named).unwrap();
        let stored = serde_json::to_value(&right).unwrap();
        assert_eq!(serde_json::from_value::<SessionRight>(stored).unwrap(), right);
        assert_eq!(right.caller(caller.principal.clone(), None), caller);
        let nobody = Caller::unsigned(Principal::Anonymous, "192.0.2.7".parse().unwrap());
        assert!(
            SessionRight::of(&nobody, &request, right.document.clone(), &[], DocumentChoice::Named).is_none()
        );
    }
}
