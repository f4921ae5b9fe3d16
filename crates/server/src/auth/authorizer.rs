//! The one place that every operation passes: may this caller do this, to these things, now?

use std::sync::Arc;

use jiff::Timestamp;
use postern_api::{Operation, ssm, sts};
use postern_iam::{
    Context, Decision, NamedPolicy, Policies, PolicyKind, Request, Verdict, evaluate, managed,
};
use postern_ids::{AccountId, Arn, Region};
use postern_store::{PrincipalName, Role, Store};

use super::denied::{not_by_policy, not_trusted};
use super::policies_in_force::{Guardrails, KnownPrincipal, PoliciesInForce};
use super::request_context::{self, RequestContext};
use super::session_owner::Weight;
use super::{Action, Caller, Check, Denied, NotAuthorized, Principal, Undecided, reach};

/// The managed policy that allows everything.
const EVERYTHING: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// Leave to do what was asked for. Only [`Authorizer::authorize`] makes one; whoever acts takes it.
#[derive(Debug)]
#[must_use = "a permit is asked for in order to act"]
pub struct Permit {
    decision: Decision,
}

impl Permit {
    /// What allowed it: of several checks, the last one.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }
}

/// Decides.
pub struct Authorizer {
    policies: PoliciesInForce,
    account: AccountId,
    region: Region,
}

/// A caller with all that binds it.
struct Bound<'a> {
    caller: &'a Caller,
    principal: Option<Arc<KnownPrincipal>>,
    session: Option<Vec<NamedPolicy>>,
    guardrails: Guardrails,
    keys: Context,
}

impl Authorizer {
    /// For a deployment that answers for one account and one region.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, account: AccountId, region: Region) -> Self {
        Self { policies: PoliciesInForce::new(store), account, region }
    }

    /// Decides whether `caller` may do what all of `checks` ask, and writes the decision to the log.
    ///
    /// # Errors
    /// [`NotAuthorized`], for the first check that fails.
    pub async fn authorize(
        &self,
        caller: &Caller,
        context: &RequestContext,
        checks: impl Into<Vec<Check>>,
    ) -> Result<Permit, NotAuthorized> {
        self.authorize_by_one_of(caller, context, [checks.into()]).await
    }

    /// The same with several sets of checks: the first set that is allowed decides. An explicit deny met in a set that
    /// comes before it ends the search.
    ///
    /// # Errors
    /// [`NotAuthorized`], for the first check of the last set that fails.
    pub async fn authorize_by_one_of(
        &self,
        caller: &Caller,
        context: &RequestContext,
        sets: impl IntoIterator<Item = Vec<Check>>,
    ) -> Result<Permit, NotAuthorized> {
        let (checks, decided) = self.decide_by_one_of(caller, context, sets).await?;
        log(caller, context, &checks, decided.as_ref().err());
        Ok(Permit { decision: decided? })
    }

    /// Whether the caller could still get the permit, asked for nobody and without acting: nothing is logged.
    ///
    /// # Errors
    /// [`Undecided`].
    pub async fn review(
        &self,
        caller: &Caller,
        context: &RequestContext,
        sets: impl IntoIterator<Item = Vec<Check>>,
    ) -> Result<Result<(), Denied>, Undecided> {
        Ok(self.decide_by_one_of(caller, context, sets).await?.1.map(drop))
    }

    /// The identity generation that decisions are made from by now.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.policies.generation()
    }

    /// The value of a tag of the caller: of its session, or else of its user or role. As policies see it, a key is the
    /// same in any case.
    ///
    /// # Errors
    /// If the principal cannot be looked up.
    pub async fn principal_tag(&self, caller: &Caller, key: &str) -> Result<Option<String>, Undecided> {
        let of_session = caller.token.iter().flat_map(|token| &token.tags);
        let mut of_session = of_session.filter(|(name, _)| name.eq_ignore_ascii_case(key));
        if let Some((_, value)) = of_session.next() {
            return Ok(Some(value.clone()));
        }
        let principal = self.known(caller).await?;
        let mut tags = principal.iter().flat_map(|principal| &principal.tags);
        let tag = tags.find(|tag| tag.key.eq_ignore_ascii_case(key));
        Ok(tag.map(|tag| tag.value.clone()))
    }

    /// Whether a resource's own policy lets the caller, by name or by its account, do what `check` asks: as if the
    /// caller's own policies allowed everything.
    ///
    /// # Errors
    /// If the principal cannot be looked up.
    pub async fn is_open_to(
        &self,
        caller: &Caller,
        context: &RequestContext,
        check: &Check,
    ) -> Result<bool, Undecided> {
        let bound = self.bind(caller, context).await?;
        let everything = managed::find(EVERYTHING).map(|policy| policy.policy()).into_iter().collect();
        let unbounded = bound.principal.as_deref().map(|known| {
            Arc::new(KnownPrincipal {
                id: known.id.clone(),
                tags: known.tags.clone(),
                identity: everything,
                boundary: None,
            })
        });
        let guardrails = Guardrails::from(Vec::new());
        let bound = Bound { principal: unbounded, session: None, guardrails, ..bound };
        Ok(self.decide(&bound, check)?.is_allowed())
    }

    /// Whether a role lets a service take it on, for nodes of this account.
    #[must_use]
    pub fn trusts_service(&self, role: &Role, service: &str, at: Timestamp) -> bool {
        let arn = Arn::role(&self.account, &role.path, &role.name);
        let trust = self.policies.of_resource(PolicyKind::Trust, arn.as_str(), &role.trust_policy);
        let Some(trust) = trust else { return false };
        let mut context = Context::new().with("aws:SourceAccount", self.account.as_str()).with(
            "aws:SourceArn",
            format!("arn:aws:ssm:{}:{}:managed-instance/*", self.region, self.account),
        );
        request_context::time_keys(&mut context, at);
        let policies = Policies { resource: Some(&trust), ..Policies::default() };
        let request = Request {
            principal: postern_iam::Principal::Service { name: service },
            action: "sts:AssumeRole",
            resource: arn.as_str(),
            resource_account: self.account.as_str(),
            context: &context,
        };
        evaluate(&policies, &request).is_allowed()
    }

    /// The set of checks that decided, and how.
    async fn decide_by_one_of(
        &self,
        caller: &Caller,
        context: &RequestContext,
        sets: impl IntoIterator<Item = Vec<Check>>,
    ) -> Result<(Vec<Check>, Result<Decision, Denied>), Undecided> {
        let bound = self.bind(caller, context).await?;
        let mut last = None;
        for checks in sets {
            let decided = self.decide_all(&bound, &checks)?;
            let goes_on =
                decided.as_ref().is_err_and(|denied| denied.decision.verdict == Verdict::ImplicitDeny);
            last = Some((checks, decided));
            if !goes_on {
                break;
            }
        }
        last.ok_or(Undecided::NothingAsked)
    }

    /// Looks up all that binds a caller.
    async fn bind<'a>(&self, caller: &'a Caller, context: &RequestContext) -> Result<Bound<'a>, Undecided> {
        let principal = self.known(caller).await?;
        let session = match &caller.token {
            Some(token) => self.policies.session(token).await?,
            None => None,
        };
        let guardrails = self.policies.guardrails().await?;
        let tags = principal.as_ref().map_or(&[][..], |principal| &principal.tags);
        let keys = request_context::global_keys(caller, tags, context, &self.account, &self.region);
        Ok(Bound { caller, principal, session, guardrails, keys })
    }

    /// The caller's user or role. `None`: it has none, or another has its name by now.
    async fn known(&self, caller: &Caller) -> Result<Option<Arc<KnownPrincipal>>, Undecided> {
        let (name, id) = match &caller.principal {
            Principal::User { name, id, .. } => (PrincipalName::User(name.clone()), id),
            Principal::RoleSession { role, role_id, .. } => (PrincipalName::Role(role.clone()), role_id),
            Principal::Node { .. } | Principal::WebIdentity { .. } | Principal::Anonymous => return Ok(None),
        };
        let found = self.policies.principal(&name).await?;
        Ok(found.filter(|principal| principal.id == *id))
    }

    fn decide_all(&self, bound: &Bound<'_>, checks: &[Check]) -> Result<Result<Decision, Denied>, Undecided> {
        // A call that asks nothing is a mistake of ours, and no way in.
        let mut last = None;
        for check in checks {
            let decision = self.decide(bound, check)?;
            if !decision.is_allowed() {
                return Ok(Err(Denied::new(bound.caller, check, decision)));
            }
            last = Some(decision);
        }
        last.map(Ok).ok_or(Undecided::NothingAsked)
    }

    fn decide(&self, bound: &Bound<'_>, check: &Check) -> Result<Decision, Undecided> {
        if let Some(decision) = without_policies(bound.caller, check) {
            return Ok(decision);
        }
        let (identity, boundary) = match (&bound.principal, &bound.caller.principal) {
            (Some(principal), _) => (principal.identity.as_slice(), principal.boundary.as_ref()),
            // Of ours it has no policies: what it asks for has to name it.
            (None, Principal::WebIdentity { .. }) => (&[][..], None),
            (None, _) => return Ok(not_by_policy()),
        };
        let of_resource = match &check.resource_policy {
            Some((kind, document)) => match self.policies.of_resource(*kind, check.resource(), document) {
                Some(policy) => Some(policy),
                None => return Ok(not_trusted()),
            },
            None => None,
        };
        let policies = Policies {
            identity,
            boundary,
            session: bound.session.as_deref(),
            resource: of_resource.as_ref(),
            guardrails: &bound.guardrails,
        };
        let mut keys = bound.keys.clone();
        for (name, value) in &check.keys {
            keys.insert(name.clone(), value.clone());
        }
        let action = check.action.to_string();
        let decided = |resource: &str| {
            let request = Request {
                principal: as_iam(&bound.caller.principal),
                action: &action,
                resource,
                resource_account: self.account_of(resource),
                context: &keys,
            };
            evaluate(&policies, &request)
        };
        let caller = &bound.caller.principal;
        let Some(owner) = &check.owner else {
            let others = check.names.iter().skip(1).map(|name| decided(name.as_str()));
            return Ok(others.fold(decided(check.resource()), Decision::of_either));
        };
        let present_name = owner.present_name(caller);
        let names = check.names.iter().chain(&present_name);
        let decisions = names.filter_map(|name| {
            let decision = decided(name.as_str());
            let is_deny = decision.verdict == Verdict::ExplicitDeny;
            (is_deny || owner.weight(name, caller) == Weight::Full).then_some(decision)
        });
        Ok(decisions.reduce(Decision::of_either).unwrap_or_else(not_by_policy))
    }

    /// Whose the resource is: of what names no account, ours.
    fn account_of<'a>(&'a self, resource: &'a str) -> &'a str {
        let named = resource.split(':').nth(4).filter(|account| account.parse::<AccountId>().is_ok());
        named.unwrap_or(self.account.as_str())
    }
}

/// What is settled before any policy is read.
fn without_policies(caller: &Caller, check: &Check) -> Option<Decision> {
    let allowed = Decision { verdict: Verdict::Allow, ..not_by_policy() };
    let decided = |is_allowed| Some(if is_allowed { allowed.clone() } else { not_by_policy() });
    // No policy can deny it. Source: AWS STS API reference, `GetCallerIdentity`.
    if check.action == Action::Operation(Operation::Sts(sts::Operation::GetCallerIdentity)) {
        return decided(true);
    }
    // It needs no permission: it is how a user proves with a code who it is. Source: "Permissions for GetSessionToken",
    // IAM User Guide.
    let is_user = matches!(caller.principal, Principal::User { .. });
    if is_user && check.action == Action::from(sts::Operation::GetSessionToken) {
        return decided(true);
    }
    match &caller.principal {
        Principal::Anonymous => {
            decided(check.action == Action::from(ssm::Operation::RegisterManagedInstance))
        }
        Principal::Node { node, .. } => {
            decided(check.action.takes_node_key() && check.node.as_ref() == Some(node))
        }
        // Its policies decide, too, but never for another.
        Principal::RoleSession { node: Some(node), .. } if !reach::is_within(check, node) => decided(false),
        Principal::RoleSession { .. } | Principal::User { .. } | Principal::WebIdentity { .. } => None,
    }
}

fn as_iam(principal: &Principal) -> postern_iam::Principal<'_> {
    match principal {
        Principal::User { arn, .. } => postern_iam::Principal::User { arn: arn.as_str() },
        Principal::RoleSession { role_arn, arn, .. } => {
            postern_iam::Principal::RoleSession { role: role_arn.as_str(), session: arn.as_str() }
        }
        Principal::WebIdentity { provider, .. } => {
            postern_iam::Principal::WebIdentity { provider: provider.as_str() }
        }
        Principal::Node { arn, .. } => postern_iam::Principal::Service { name: arn.as_str() },
        Principal::Anonymous => postern_iam::Principal::Service { name: "" },
    }
}

fn log(caller: &Caller, context: &RequestContext, checks: &[Check], denied: Option<&Denied>) {
    let (principal, source_ip) = (caller.principal.name(), caller.source_ip);
    let access_key_id = caller.access_key_id.as_deref().unwrap_or_default();
    let word = if denied.is_some() { "deny" } else { "allow" };
    let statement = denied.and_then(|denied| denied.decision.statement.as_ref());
    let by = statement.map(ToString::to_string).unwrap_or_default();
    for check in checks {
        let (action, resource) = (check.action, check.resource());
        tracing::info!(
            target: "audit",
            decision = word, principal, access_key.id = access_key_id, %source_ip, %action, resource, by,
            request.id = context.request_id,
            "{word} {principal} {action} on {resource}"
        );
    }
}

#[cfg(test)]
mod tests;
