//! `SimulateCustomPolicy` and `SimulatePrincipalPolicy`: what would be decided, and why.

use std::ops::Range;

use postern_api::iam::{
    PolicyIdentifier, PolicySourceType, SimulateCustomPolicyInput, SimulateCustomPolicyOutput,
    SimulatePrincipalPolicyInput, SimulatePrincipalPolicyOutput,
};
use postern_api::{ApiError, Request};
use postern_iam::{NamedPolicy, Policy, PolicyKind, Principal};
use postern_ids::{Arn, PolicyArn};
use postern_store::{AttachedPolicy, HeldPolicies, PrincipalName, PrincipalPolicies};

use super::marker::{Asked, Rest};
use super::named::Named;
use super::simulation::{Simulation, parsed};
use super::{groups, managed_policies, refusal, roles, users};
use crate::routes::call::Call;
use crate::routes::failure;

/// Of the actions that a simulation without resources asks about: those on no resource, and those on any.
const EVERYTHING: &str = "*";

pub(super) async fn simulate_custom_policy(
    call: Call<SimulateCustomPolicyInput>,
) -> Result<SimulateCustomPolicyOutput, ApiError> {
    let _permit = call.authorize([call.check()]).await?;
    let input = &call.input;
    let mut simulation = Simulation::default();
    add_inputs(&mut simulation, &input.policy_input_list)?;
    set_boundary(&mut simulation, input.permissions_boundary_policy_input_list.as_deref())?;
    for (index, level) in input.ordered_organization_policy_input_list.iter().flatten().enumerate() {
        let texts = level.service_control_policy_input_list.iter().flatten();
        let policies = texts.map(|text| {
            let name = format!("OrderedOrganizationPolicyInputList.{}", index + 1);
            Ok(NamedPolicy::new(name.as_str(), parsed(&name, PolicyKind::Guardrail, text)?))
        });
        simulation.add_guardrails(policies.collect::<Result<_, ApiError>>()?);
    }
    set_resource_policy(&mut simulation, input.resource_policy.as_deref(), input.caller_arn.as_deref())?;
    simulation.add_entries(input.context_entries.as_deref().unwrap_or_default())?;
    // Nobody in particular, unless the call says whom: a user, since the root user may do everything.
    let anybody = format!("arn:aws:iam::{}:user/*", call.app.account);
    let caller = Caller::of(input.caller_arn.as_deref().unwrap_or(&anybody))?;
    let owner = account_of(&call, input.resource_owner.as_deref());
    let resources = input.resource_arns.clone().unwrap_or_else(|| vec![EVERYTHING.to_owned()]);
    let pairs = simulation.pairs(&input.action_names, &resources)?;
    let asked = (&input.action_names, &resources);
    let (range, rest) = page(&call, &asked, pairs.len(), input.marker.as_deref(), input.max_items)?;
    let evaluation_results = simulation.results(caller.principal(), &owner, &pairs, range);
    Ok(SimulateCustomPolicyOutput {
        evaluation_results: Some(evaluation_results),
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    })
}

pub(super) async fn simulate_principal_policy(
    call: Call<SimulatePrincipalPolicyInput>,
) -> Result<SimulatePrincipalPolicyOutput, ApiError> {
    let input = &call.input;
    let (source, _permit) = source(&call, &input.policy_source_arn).await?.permitted(&call).await?;
    let mut simulation = Simulation::default();
    let excluded = input.policy_exclusion_list.as_deref().unwrap_or_default();
    add_source(&call, &mut simulation, &source, excluded).await?;
    add_inputs(&mut simulation, input.policy_input_list.as_deref().unwrap_or_default())?;
    set_boundary(&mut simulation, input.permissions_boundary_policy_input_list.as_deref())?;
    add_account_guardrails(&call, &mut simulation).await?;
    let caller_arn = caller_arn(input, &source)?;
    set_resource_policy(&mut simulation, input.resource_policy.as_deref(), Some(&caller_arn))?;
    simulation.add_entries(input.context_entries.as_deref().unwrap_or_default())?;
    let caller = Caller::of(&caller_arn)?;
    let owner = account_of(&call, input.resource_owner.as_deref());
    let resources = input.resource_arns.clone().unwrap_or_else(|| vec![EVERYTHING.to_owned()]);
    let pairs = simulation.pairs(&input.action_names, &resources)?;
    let asked = (&input.action_names, &resources);
    let (range, rest) = page(&call, &asked, pairs.len(), input.marker.as_deref(), input.max_items)?;
    let evaluation_results = simulation.results(caller.principal(), &owner, &pairs, range);
    Ok(SimulatePrincipalPolicyOutput {
        evaluation_results: Some(evaluation_results),
        is_truncated: rest.is_truncated,
        marker: rest.marker,
    })
}

/// Whose policies are simulated.
enum Source {
    User { name: postern_ids::UserName, arn: Arn },
    Role { name: postern_ids::RoleName, arn: Arn },
    Group { name: postern_ids::GroupName },
}

async fn source<T: Request>(call: &Call<T>, text: &str) -> Result<Named<Source>, ApiError> {
    let account = &call.app.account;
    let invalid = || {
        refusal::invalid_input(format!(
            "Invalid Entity Arn: {text} does not clearly define entity type and name."
        ))
    };
    let arn: Arn = text.parse().map_err(|_| invalid())?;
    let name = arn.resource().rsplit('/').next().unwrap_or_default();
    let kind = arn.resource().split('/').next().unwrap_or_default();
    let is_it = |found: Arn| found == arn;
    let unknown = || refusal::no_such_entity(format!("{text} cannot be found."));
    Ok(match kind {
        "user" => users::named(call, name).await?.and_then(|user| {
            let arn = users::arn(account, &user);
            if is_it(arn.clone()) { Ok(Source::User { name: user.name, arn }) } else { Err(unknown()) }
        }),
        "role" => roles::named(call, name).await?.and_then(|role| {
            let arn = roles::arn(account, &role);
            if is_it(arn.clone()) { Ok(Source::Role { name: role.name, arn }) } else { Err(unknown()) }
        }),
        "group" => groups::named(call, name).await?.and_then(|group| {
            let arn = groups::arn(account, &group);
            if is_it(arn) { Ok(Source::Group { name: group.name }) } else { Err(unknown()) }
        }),
        _ => return Err(invalid()),
    })
}

/// Who calls in the simulation: whom the call says, else the one whose policies they are.
fn caller_arn(input: &SimulatePrincipalPolicyInput, source: &Source) -> Result<String, ApiError> {
    match (&input.caller_arn, source) {
        (Some(arn), _) => Ok(arn.clone()),
        (None, Source::User { arn, .. } | Source::Role { arn, .. }) => Ok(arn.to_string()),
        (None, Source::Group { .. }) if input.resource_policy.is_some() => {
            Err(refusal::invalid_input("CallerArn is required to simulate a ResourcePolicy for a group."))
        }
        // Any member.
        (None, Source::Group { .. }) => {
            let account = input.policy_source_arn.split(':').nth(4).unwrap_or_default();
            Ok(format!("arn:aws:iam::{account}:user/*"))
        }
    }
}

async fn add_source<T>(
    call: &Call<T>,
    simulation: &mut Simulation,
    source: &Source,
    excluded: &[PolicyIdentifier],
) -> Result<(), ApiError> {
    let principal = match source {
        Source::User { name, .. } => PrincipalName::User(name.clone()),
        Source::Role { name, .. } => PrincipalName::Role(name.clone()),
        Source::Group { name } => return add_group(call, simulation, name, excluded).await,
    };
    let found = call.app.store.principal_policies(&principal).await.map_err(failure::store)?;
    let found = found.ok_or_else(|| refusal::no_such_entity(format!("The {principal} cannot be found.")))?;
    let (kind, place) = match &principal {
        PrincipalName::User(name) => (PolicySourceType::User, format!("user_{name}")),
        PrincipalName::Role(name) => (PolicySourceType::Role, format!("role_{name}")),
    };
    add_held(simulation, &place, kind, &found.policies, excluded)?;
    for group in &found.groups {
        let place = format!("group_{}", group.group.name);
        add_held(simulation, &place, PolicySourceType::Group, &group.policies, excluded)?;
    }
    if let Some(boundary) = found.boundary.as_ref().filter(|policy| !is_excluded(policy.arn(), excluded)) {
        simulation.set_boundary(boundary.arn().as_str(), compiled(boundary)?.1);
    }
    add_facts(call, simulation, source, &found);
    Ok(())
}

/// What is known of the caller without a request. What the call gives replaces it.
fn add_facts<T>(call: &Call<T>, simulation: &mut Simulation, source: &Source, found: &PrincipalPolicies) {
    let context = &mut simulation.context;
    context.insert("aws:PrincipalAccount", call.app.account.as_str());
    match source {
        Source::User { name, arn } => {
            context.insert("aws:PrincipalArn", arn.as_str());
            context.insert("aws:PrincipalType", "User");
            context.insert("aws:username", name.as_str());
            context.insert("aws:userid", found.principal.id().as_str());
        }
        Source::Role { arn, .. } => {
            context.insert("aws:PrincipalArn", arn.as_str());
            context.insert("aws:PrincipalType", "AssumedRole");
        }
        Source::Group { .. } => {}
    }
    for tag in found.principal.tags() {
        context.insert(format!("aws:PrincipalTag/{}", tag.key), tag.value.as_str());
    }
}

async fn add_group<T>(
    call: &Call<T>,
    simulation: &mut Simulation,
    name: &postern_ids::GroupName,
    excluded: &[PolicyIdentifier],
) -> Result<(), ApiError> {
    let store = &call.app.store;
    let holder = postern_store::PolicyHolder::Group(name.clone());
    let inline = store.inline_policies(&holder).await.map_err(refusal::identity)?;
    let mut held = HeldPolicies { inline, attached: Vec::new() };
    for arn in store.attached_policies(&holder).await.map_err(refusal::identity)? {
        held.attached.extend(attached(call, arn).await?);
    }
    add_held(simulation, &format!("group_{name}"), PolicySourceType::Group, &held, excluded)
}

/// A managed policy with its default version; nothing if it has gone in the meantime.
async fn attached<T>(call: &Call<T>, arn: PolicyArn) -> Result<Option<AttachedPolicy>, ApiError> {
    if arn.is_aws_managed() {
        return Ok(Some(AttachedPolicy::AwsManaged(arn)));
    }
    let store = &call.app.store;
    let Some(policy) = store.policy(&arn).await.map_err(failure::store)? else { return Ok(None) };
    let version = store.policy_version(&arn, policy.default_version).await.map_err(failure::store)?;
    Ok(version.map(|version| AttachedPolicy::CustomerManaged {
        arn,
        version: version.version,
        document: version.document,
    }))
}

fn add_held(
    simulation: &mut Simulation,
    place: &str,
    kind: PolicySourceType,
    held: &HeldPolicies,
    excluded: &[PolicyIdentifier],
) -> Result<(), ApiError> {
    for inline in &held.inline {
        let name = format!("{place}_{}", inline.name);
        let is_named = |identifier: &PolicyIdentifier| {
            let inline = identifier.inline_policy_identifier.as_ref();
            inline.is_some_and(|inline| {
                name == format!(
                    "{}_{}_{}",
                    inline.attachment_type, inline.attachment_name, inline.policy_name
                )
            })
        };
        if !excluded.iter().any(is_named) {
            simulation.add_identity(&name, kind.clone(), stored(&inline.document)?);
        }
    }
    for policy in held.attached.iter().filter(|policy| !is_excluded(policy.arn(), excluded)) {
        let (kind, compiled) = compiled(policy)?;
        simulation.add_identity(policy.arn().name().as_str(), kind, compiled);
    }
    Ok(())
}

fn is_excluded(arn: &PolicyArn, excluded: &[PolicyIdentifier]) -> bool {
    excluded.iter().any(|identifier| identifier.policy_arn.as_deref() == Some(arn.as_str()))
}

fn compiled(policy: &AttachedPolicy) -> Result<(PolicySourceType, Policy), ApiError> {
    match policy {
        AttachedPolicy::CustomerManaged { document, .. } => {
            Ok((PolicySourceType::UserManaged, stored(document)?))
        }
        AttachedPolicy::AwsManaged(arn) => {
            let found = managed_policies::aws_managed(arn)
                .ok_or_else(|| refusal::no_such_entity(format!("Policy {arn} was not found.")))?;
            Ok((PolicySourceType::AwsManaged, stored(found.document)?))
        }
    }
}

/// A document that was checked when it was stored.
fn stored(document: &str) -> Result<Policy, ApiError> {
    Policy::parse(PolicyKind::Identity, document).map_err(|error| failure::internal(&error))
}

async fn add_account_guardrails<T>(call: &Call<T>, simulation: &mut Simulation) -> Result<(), ApiError> {
    let mut levels: Vec<(u32, Vec<NamedPolicy>)> = Vec::new();
    for guardrail in call.app.store.guardrails().await.map_err(failure::store)? {
        let policy = Policy::parse(PolicyKind::Guardrail, &guardrail.document)
            .map_err(|error| failure::internal(&error))?;
        let policy = NamedPolicy::new(guardrail.name.as_str(), policy);
        match levels.last_mut() {
            Some((level, policies)) if *level == guardrail.level => policies.push(policy),
            _ => levels.push((guardrail.level, vec![policy])),
        }
    }
    levels.into_iter().for_each(|(_, policies)| simulation.add_guardrails(policies));
    Ok(())
}

fn add_inputs(simulation: &mut Simulation, texts: &[String]) -> Result<(), ApiError> {
    for (index, text) in texts.iter().enumerate() {
        let name = format!("PolicyInputList.{}", index + 1);
        let policy = parsed(&name, PolicyKind::Identity, text)?;
        simulation.add_identity(&name, PolicySourceType::None, policy);
    }
    Ok(())
}

fn set_boundary(simulation: &mut Simulation, texts: Option<&[String]>) -> Result<(), ApiError> {
    match texts.unwrap_or_default() {
        [] => Ok(()),
        [text] => {
            let name = "PermissionsBoundaryPolicyInputList.1";
            simulation.set_boundary(name, parsed(name, PolicyKind::Identity, text)?);
            Ok(())
        }
        _ => Err(refusal::invalid_input("PermissionsBoundaryPolicyInputList has at most one policy.")),
    }
}

fn set_resource_policy(
    simulation: &mut Simulation,
    text: Option<&str>,
    caller: Option<&str>,
) -> Result<(), ApiError> {
    let Some(text) = text else { return Ok(()) };
    if caller.is_none() {
        return Err(refusal::invalid_input("CallerArn is required to simulate a ResourcePolicy."));
    }
    simulation.set_resource_policy(parsed("ResourcePolicy", PolicyKind::Resource, text)?);
    Ok(())
}

/// The account of `ResourceOwner`; without one, this account.
fn account_of<T>(call: &Call<T>, owner: Option<&str>) -> String {
    let of_owner = owner.map(|owner| owner.split(':').nth(4).unwrap_or(owner).to_owned());
    of_owner.unwrap_or_else(|| call.app.account.to_string())
}

/// A caller's ARN, and the role's that stands behind a session.
struct Caller {
    arn: String,
    kind: CallerKind,
}

enum CallerKind {
    User,
    Root,
    Role { session: String },
}

impl Caller {
    fn of(arn: &str) -> Result<Self, ApiError> {
        let invalid = || refusal::invalid_input(format!("CallerArn {arn} is not of a user or a role."));
        let parsed: Arn = arn.parse().map_err(|_| invalid())?;
        let account = arn.split(':').nth(4).unwrap_or_default();
        let (kind, name) = parsed.resource().split_once('/').unwrap_or((parsed.resource(), ""));
        let kind = match kind {
            "user" => CallerKind::User,
            "root" => CallerKind::Root,
            "role" => {
                let role = name.rsplit('/').next().unwrap_or(name);
                CallerKind::Role { session: format!("arn:aws:sts::{account}:assumed-role/{role}/simulation") }
            }
            "assumed-role" => {
                let role = name.split('/').next().unwrap_or(name);
                let role = format!("arn:aws:iam::{account}:role/{role}");
                return Ok(Self { arn: role, kind: CallerKind::Role { session: arn.to_owned() } });
            }
            _ => return Err(invalid()),
        };
        Ok(Self { arn: arn.to_owned(), kind })
    }

    fn principal(&self) -> Principal<'_> {
        match &self.kind {
            CallerKind::User => Principal::User { arn: &self.arn },
            CallerKind::Root => Principal::Root { arn: &self.arn },
            CallerKind::Role { session } => Principal::RoleSession { role: &self.arn, session },
        }
    }
}

/// Which of `count` results the call asks for. Only a call with the same actions and resources goes on.
fn page<T: Request>(
    call: &Call<T>,
    asked: &impl serde::Serialize,
    count: usize,
    marker: Option<&str>,
    items_max: Option<i32>,
) -> Result<(Range<usize>, Rest), ApiError> {
    let asked: Asked<usize> = Asked::new(call, asked, marker, items_max)?;
    let start = asked.page.after.map_or(0, |last| last + 1);
    let limit = usize::try_from(asked.page.limit).unwrap_or(usize::MAX);
    let end = start.saturating_add(limit).min(count);
    let next = (start < end && end < count).then(|| end - 1);
    Ok((start.min(end)..end, asked.rest(call, next)))
}
