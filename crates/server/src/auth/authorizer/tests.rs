//! Decisions about callers whose policies are in a real store.

use std::net::Ipv4Addr;

use jiff::SignedDuration;
use postern_ids::{NodeId, PolicyArn, PolicyName, PrincipalId, PrincipalKind, UserName};
use postern_store::{
    HeldPolicyStore as _, InlinePolicy, ManagedPolicyStore as _, MasterKey, NewPolicy, PolicyHolder,
    RoleStore as _, SqliteOptions, SqliteStore, User, UserStore as _,
};
use serde_json::{Value, json};

use super::super::action::tests::every_action;
use super::super::{NodeKey, TokenFacts};
use super::*;

const OWN: &str = "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0";
const CALLER_IDENTITY: Action = Action::Operation(Operation::Sts(sts::Operation::GetCallerIdentity));
const NOW: &str = "2026-11-27T08:00:00Z";

struct Deployment {
    store: Arc<SqliteStore>,
    authorizer: Authorizer,
    _directory: tempfile::TempDir,
}

fn account() -> AccountId {
    "111122223333".parse().unwrap()
}

fn node() -> NodeId {
    "mi-0123456789abcdef0".parse().unwrap()
}

fn context() -> RequestContext {
    RequestContext { request_id: "r".to_owned(), at: NOW.parse().unwrap(), user_agent: None, referer: None }
}

fn unsigned(principal: Principal) -> Caller {
    Caller::unsigned(principal, Ipv4Addr::LOCALHOST.into())
}

fn start() -> Check {
    Check::new(ssm::Operation::StartSession).on(OWN.parse().unwrap())
}

fn allow(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

fn deny(action: &str, resource: &str) -> Value {
    json!({"Effect": "Deny", "Action": action, "Resource": resource})
}

fn document(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

impl Deployment {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(directory.path().join("postern.db"));
        let store = Arc::new(SqliteStore::open(&options, MasterKey::new([7; 32])).await.unwrap());
        let authorizer = Authorizer::new(store.clone(), account(), "us-east-1".parse().unwrap());
        Self { store, authorizer, _directory: directory }
    }

    /// A user with one inline policy.
    async fn user(&self, name: &str, statements: &[Value]) -> Caller {
        let caller = self.user_without_policy(name).await;
        self.put_policy(name, &document(statements)).await;
        caller
    }

    async fn user_without_policy(&self, name: &str) -> Caller {
        let name: UserName = name.parse().unwrap();
        let random: [u8; 17] =
            std::array::from_fn(|at| name.as_str().as_bytes().get(at).copied().unwrap_or(0));
        let id = PrincipalId::from_random(PrincipalKind::User, random);
        self.store.create_user(&User::new(name.clone(), id.clone(), NOW.parse().unwrap())).await.unwrap();
        let arn = format!("arn:aws:iam::111122223333:user/{name}").parse().unwrap();
        unsigned(Principal::User { name, id, arn })
    }

    async fn put_policy(&self, user: &str, document: &str) {
        let policy = InlinePolicy { name: "inline".parse().unwrap(), document: document.to_owned() };
        self.store.put_inline_policy(&PolicyHolder::User(user.parse().unwrap()), &policy).await.unwrap();
    }

    /// A session of a role that holds the AWS managed policy.
    async fn role_session(&self, policy: &str, node: Option<NodeId>) -> Caller {
        let id = PrincipalId::from_random(PrincipalKind::Role, [3; 17]);
        let role = Role::new("PosternNode".parse().unwrap(), id.clone(), "{}", NOW.parse().unwrap());
        self.store.create_role(&role).await.unwrap();
        let holder = PolicyHolder::Role(role.name.clone());
        self.store.attach_policy(&holder, &PolicyArn::aws_managed(&policy_name(policy))).await.unwrap();
        let session_name = node.as_ref().map_or("someone".to_owned(), NodeId::to_string);
        let arn = Arn::assumed_role(&account(), &role.name, &session_name);
        let role_arn = Arn::role(&account(), &role.path, &role.name);
        let principal =
            Principal::RoleSession { role: role.name, role_id: id, role_arn, session_name, arn, node };
        let facts = TokenFacts::new(NOW.parse().unwrap(), SignedDuration::from_hours(1));
        Caller { token: Some(Arc::new(facts)), ..unsigned(principal) }
    }

    async fn decide(&self, caller: &Caller, checks: impl Into<Vec<Check>>) -> Result<(), String> {
        let decided = self.authorizer.authorize(caller, &context(), checks).await;
        decided.map(drop).map_err(|error| error.to_string())
    }
}

fn policy_name(name: &str) -> PolicyName {
    name.parse().unwrap()
}

#[tokio::test]
async fn administrator_access_is_what_makes_an_administrator() {
    let deployment = Deployment::new().await;
    let admin = deployment.user_without_policy("admin").await;
    assert!(deployment.decide(&admin, [start()]).await.is_err(), "the name alone is nothing");
    let arn = PolicyArn::aws_managed(&policy_name("AdministratorAccess"));
    deployment.store.attach_policy(&PolicyHolder::User("admin".parse().unwrap()), &arn).await.unwrap();
    for action in every_action() {
        deployment.decide(&admin, [Check::new(action)]).await.unwrap();
    }
}

#[tokio::test]
async fn whoever_has_no_policy_may_only_ask_who_it_is_and_prove_it() {
    let deployment = Deployment::new().await;
    let alice = deployment.user_without_policy("alice").await;
    let ghost = unsigned(Principal::User {
        name: "ghost".parse().unwrap(),
        id: "AIDAGGGGGGGGGGGGGGGGG".parse().unwrap(),
        arn: "arn:aws:iam::111122223333:user/ghost".parse().unwrap(),
    });
    let needs_none = [CALLER_IDENTITY, Action::from(sts::Operation::GetSessionToken)];
    for who in [alice, ghost] {
        for action in every_action() {
            let allowed = deployment.decide(&who, [Check::new(action)]).await.is_ok();
            assert_eq!(allowed, needs_none.contains(&action), "{action}");
        }
    }
}

#[tokio::test]
async fn whoever_is_not_signed_may_only_register() {
    let deployment = Deployment::new().await;
    for action in every_action() {
        let expected =
            action == Action::from(ssm::Operation::RegisterManagedInstance) || action == CALLER_IDENTITY;
        let allowed = deployment.decide(&unsigned(Principal::Anonymous), [Check::new(action)]).await.is_ok();
        assert_eq!(allowed, expected, "{action}");
    }
}

#[tokio::test]
async fn a_nodes_rsa_key_is_good_for_two_operations_on_itself() {
    let deployment = Deployment::new().await;
    let me = unsigned(Principal::Node { node: node(), arn: OWN.parse().unwrap(), key: NodeKey::Current });
    let other = "mi-00000000000000000".parse().unwrap();
    for action in every_action() {
        let is_allowed = async |node: &NodeId| {
            deployment.decide(&me, [Check::new(action).about_node(Some(node))]).await.is_ok()
        };
        let expected = action.takes_node_key() || action == CALLER_IDENTITY;
        assert_eq!(is_allowed(&node()).await, expected, "{action}");
        assert_eq!(is_allowed(&other).await, action == CALLER_IDENTITY, "{action}");
    }
}

#[tokio::test]
async fn a_node_needs_its_roles_policies_and_reaches_itself_only() {
    let update = || Check::new(ssm::Operation::UpdateInstanceInformation);
    let other = "mi-00000000000000000".parse().unwrap();
    let all_powerful = Deployment::new().await;
    let me = all_powerful.role_session("AdministratorAccess", Some(node())).await;
    assert!(all_powerful.decide(&me, [update().about_node(Some(&node()))]).await.is_ok());
    assert!(all_powerful.decide(&me, [update().about_node(Some(&other))]).await.is_err());
    assert!(all_powerful.decide(&me, [start().about_node(Some(&node()))]).await.is_err());
    let powerless = Deployment::new().await;
    let me = powerless.role_session("AmazonSSMReadOnlyAccess", Some(node())).await;
    assert!(powerless.decide(&me, [update().about_node(Some(&node()))]).await.is_err());
}

#[tokio::test]
async fn every_check_must_be_allowed_and_none_is_no_leave() {
    let deployment = Deployment::new().await;
    let alice = deployment.user("alice", &[allow("ssm:StartSession", OWN)]).await;
    let bad = || Check::new(ssm::Operation::DescribeSessions);
    assert!(deployment.decide(&alice, [start(), start()]).await.is_ok());
    assert!(deployment.decide(&alice, [start(), bad()]).await.is_err());
    let nothing = deployment.authorizer.authorize(&alice, &context(), []).await.unwrap_err();
    assert_eq!(postern_api::ApiError::from(nothing).code.name(), "InternalServerError");
}

#[tokio::test]
async fn a_denial_names_what_decided_in_aws_words() {
    let deployment = Deployment::new().await;
    let told = |who: &str, reason: &str| {
        format!(
            "User: arn:aws:iam::111122223333:user/{who} is not authorized to perform: ssm:StartSession on resource: {OWN} {reason}"
        )
    };
    let silent = deployment.user("silent", &[allow("ssm:DescribeSessions", "*")]).await;
    let reason = "because no identity-based policy allows the ssm:StartSession action";
    assert_eq!(deployment.decide(&silent, [start()]).await, Err(told("silent", reason)));

    let denied = deployment.user("denied", &[allow("*", "*"), deny("ssm:StartSession", OWN)]).await;
    let reason = "with an explicit deny in an identity-based policy";
    assert_eq!(deployment.decide(&denied, [start()]).await, Err(told("denied", reason)));

    let bounded = deployment.user("bounded", &[allow("*", "*")]).await;
    let boundary = PolicyArn::aws_managed(&policy_name("AmazonSSMManagedInstanceCore"));
    let name = PrincipalName::User("bounded".parse().unwrap());
    deployment.store.set_boundary(&name, Some(&boundary)).await.unwrap();
    let reason = "because no permissions boundary allows the ssm:StartSession action";
    assert_eq!(deployment.decide(&bounded, [start()]).await, Err(told("bounded", reason)));

    let limited = deployment.user("limited", &[allow("*", "*")]).await;
    let mut facts = TokenFacts::new(NOW.parse().unwrap(), SignedDuration::from_hours(1));
    facts.policy = Some(document(&[allow("ssm:DescribeSessions", "*")]));
    let limited = Caller { token: Some(Arc::new(facts)), ..limited };
    let reason = "because no session policy allows the ssm:StartSession action";
    assert_eq!(deployment.decide(&limited, [start()]).await, Err(told("limited", reason)));
    deployment.decide(&limited, [Check::new(ssm::Operation::DescribeSessions)]).await.unwrap();
}

#[tokio::test]
async fn a_session_policy_that_is_gone_allows_nothing() {
    let deployment = Deployment::new().await;
    let alice = deployment.user("alice", &[allow("*", "*")]).await;
    let mut facts = TokenFacts::new(NOW.parse().unwrap(), SignedDuration::from_hours(1));
    facts.policy = Some(document(&[allow("*", "*")]));
    facts.policy_arns = vec!["arn:aws:iam::111122223333:policy/gone".parse().unwrap()];
    let alice = Caller { token: Some(Arc::new(facts)), ..alice };
    let told = deployment.decide(&alice, [start()]).await.unwrap_err();
    assert!(told.ends_with("because no session policy allows the ssm:StartSession action"), "{told}");
}

#[tokio::test]
async fn a_change_counts_from_the_next_call() {
    let deployment = Deployment::new().await;
    let alice = deployment.user("alice", &[allow("ssm:StartSession", "*")]).await;
    let before = deployment.authorizer.generation();
    let _permit = deployment.authorizer.authorize(&alice, &context(), [start()]).await.unwrap();
    assert_eq!(before, deployment.authorizer.generation(), "deciding changes nothing");
    deployment.put_policy("alice", &document(&[deny("*", "*")])).await;
    assert!(deployment.decide(&alice, [start()]).await.is_err());
    assert!(before < deployment.authorizer.generation());
}

#[tokio::test]
async fn a_name_that_was_given_again_is_somebody_else() {
    let deployment = Deployment::new().await;
    let alice = deployment.user("alice", &[allow("*", "*")]).await;
    let Principal::User { name, arn, .. } = alice.principal else { unreachable!("it is a user") };
    let former = Principal::User { name, arn, id: "AIDAZZZZZZZZZZZZZZZZZ".parse().unwrap() };
    assert!(deployment.decide(&unsigned(former), [start()]).await.is_err());
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_opens_nothing() {
    let deployment = Deployment::new().await;
    let alice = deployment.user("alice", &[allow("*", "*")]).await;
    let broken = NewPolicy {
        arn: "arn:aws:iam::111122223333:policy/broken".parse().unwrap(),
        id: PrincipalId::from_random(PrincipalKind::Policy, [9; 17]),
        description: None,
        document: "{".to_owned(),
        tags: Vec::new(),
        created_at: NOW.parse().unwrap(),
    };
    let arn = deployment.store.create_policy(&broken).await.unwrap().arn;
    deployment.store.attach_policy(&PolicyHolder::User("alice".parse().unwrap()), &arn).await.unwrap();
    let refused = deployment.authorizer.authorize(&alice, &context(), [start()]).await.unwrap_err();
    let told = postern_api::ApiError::from(refused);
    assert_eq!(told.code.name(), "InternalServerError");
    assert!(!told.to_string().contains("broken"), "{told}");
}

#[tokio::test]
async fn the_first_set_that_is_allowed_decides_and_an_explicit_deny_ends_the_search() {
    let deployment = Deployment::new().await;
    let reader = deployment.user("reader", &[allow("ssm:DescribeSessions", "*")]).await;
    let describe = || vec![Check::new(ssm::Operation::DescribeSessions)];
    let sets = || [vec![start()], describe()];
    assert!(deployment.authorizer.authorize_by_one_of(&reader, &context(), sets()).await.is_ok());
    assert!(deployment.authorizer.review(&reader, &context(), sets()).await.unwrap().is_ok());
    let denied =
        deployment.user("denied", &[allow("ssm:DescribeSessions", "*"), deny("ssm:StartSession", "*")]).await;
    assert!(deployment.authorizer.authorize_by_one_of(&denied, &context(), sets()).await.is_err());
    assert!(deployment.authorizer.authorize_by_one_of(&denied, &context(), [describe()]).await.is_ok());
}

#[tokio::test]
async fn of_two_names_either_allows_and_either_denies() {
    let deployment = Deployment::new().await;
    let names = [
        "arn:aws:ssm:us-east-1:111122223333:session/alice-x",
        "arn:aws:ssm:us-east-1:111122223333:session/AIDA-x",
    ];
    let check = || {
        names
            .iter()
            .fold(Check::new(ssm::Operation::TerminateSession), |check, name| check.on(name.parse().unwrap()))
    };
    for (user, statements, expected) in [
        ("first", vec![allow("ssm:TerminateSession", names[0])], true),
        ("second", vec![allow("ssm:TerminateSession", names[1])], true),
        ("neither", vec![allow("ssm:TerminateSession", "arn:aws:ssm:*:*:session/bob-*")], false),
        ("denied", vec![allow("*", "*"), deny("ssm:TerminateSession", names[1])], false),
    ] {
        let caller = deployment.user(user, &statements).await;
        assert_eq!(deployment.decide(&caller, [check()]).await.is_ok(), expected, "{user}");
    }
}

#[tokio::test]
async fn a_role_says_which_service_may_take_it_on() {
    let deployment = Deployment::new().await;
    let trusts = |policy: Value| {
        let id = PrincipalId::from_random(PrincipalKind::Role, [3; 17]);
        let role = Role::new("Nodes".parse().unwrap(), id, policy.to_string(), NOW.parse().unwrap());
        deployment.authorizer.trusts_service(&role, "ssm.amazonaws.com", NOW.parse().unwrap())
    };
    let trust = |service: &str, condition: Value| {
        let mut statement =
            json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"});
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        json!({"Version": "2012-10-17", "Statement": [statement]})
    };
    let here = json!({
        "StringEquals": {"aws:SourceAccount": "111122223333"},
        "ArnEquals": {"aws:SourceArn": "arn:aws:ssm:us-east-1:111122223333:*"},
    });
    let elsewhere = json!({"StringEquals": {"aws:SourceAccount": "999999999999"}});
    for (policy, expected) in [
        (trust("ssm.amazonaws.com", Value::Null), true),
        (trust("ssm.amazonaws.com", here), true),
        (trust("ssm.amazonaws.com", elsewhere), false),
        (trust("ec2.amazonaws.com", Value::Null), false),
        (json!({"Version": "2012-10-17", "Statement": []}), false),
        (json!("nonsense"), false),
    ] {
        assert_eq!(trusts(policy.clone()), expected, "{policy}");
    }
}
