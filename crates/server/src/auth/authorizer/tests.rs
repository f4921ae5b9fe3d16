//! Decisions about callers whose policies are in a real store.

use std::net::Ipv4Addr;

use jiff::SignedDuration;
use postern_ids::{NodeId, PolicyArn, PolicyName, PrincipalId, PrincipalKind, UserName};
use postern_store::{
    AccessType, HeldPolicyStore as _, IdentityTagStore as _, InlinePolicy, ManagedPolicyStore as _,
    MasterKey, NewPolicy, PolicyHolder, RoleStore as _, SessionRecord, SessionStatus, SqliteOptions,
    SqliteStore, Tag, TaggedIdentity, User, UserStore as _,
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

/// A session of `owner`, whose name it carries.
fn session_of(owner: &Caller, name: &str) -> SessionRecord {
    SessionRecord {
        id: format!("{name}-abcdefghijklmnopqrstuvwxyz").parse().unwrap(),
        node: node(),
        owner_arn: owner.principal.name().parse().unwrap(),
        owner_user_id: owner.principal.user_id().unwrap(),
        document_name: "SSM-SessionManagerRunShell".to_owned(),
        session_type: "Standard_Stream".to_owned(),
        reason: None,
        access_type: AccessType::Standard,
        status: SessionStatus::Connected,
        status_since: NOW.parse().unwrap(),
        started_at: NOW.parse().unwrap(),
        ended_at: None,
        end_reason: None,
        details: None,
        exit_code: None,
        parameters: Value::Null,
        max_session_duration_minutes: None,
        idle_timeout_minutes: 20,
        client_ip: None,
        authority: None,
    }
}

fn terminate(session: &SessionRecord) -> Check {
    let check = Check::new(ssm::Operation::TerminateSession);
    check.on_session(&"us-east-1".parse().unwrap(), &account(), &session.id, Some(session))
}

fn own_sessions(by: &str) -> Value {
    allow("ssm:TerminateSession", &format!("arn:aws:ssm:*:*:session/${{{by}}}-*"))
}

#[tokio::test]
async fn what_a_session_is_called_does_not_give_it_to_somebody_else() {
    let deployment = Deployment::new().await;
    let by_name = [own_sessions("aws:username")];
    let ali = deployment.user("ali", &by_name).await;
    // Created beside each other they would be refused; one may have been renamed since.
    let alice = deployment.user("ali-ce", &by_name).await;
    let may = async |caller: &Caller, session: &SessionRecord| {
        deployment.decide(caller, [terminate(session)]).await.is_ok()
    };
    let (of_ali, of_alice) = (session_of(&ali, "ali"), session_of(&alice, "ali-ce"));
    assert!(may(&ali, &of_ali).await && may(&alice, &of_alice).await);
    assert!(!may(&ali, &of_alice).await && !may(&alice, &of_ali).await);

    // Whoever was called so before.
    let former = deployment.user("former", &by_name).await;
    let of_former = session_of(&former, "ali");
    assert!(!may(&ali, &of_former).await, "it was started under the name that is ali's now");
    assert!(may(&former, &of_former).await, "it is the caller's, under whatever name");

    // Whoever may end any session may end those as well.
    deployment
        .put_policy("ali", &document(&[allow("ssm:TerminateSession", "arn:aws:ssm:*:*:session/*")]))
        .await;
    assert!(may(&ali, &of_alice).await && may(&ali, &of_former).await && may(&ali, &of_ali).await);
    // What such a name denies is denied.
    let deny_own = deny("ssm:TerminateSession", "arn:aws:ssm:*:*:session/${aws:username}-*");
    deployment.put_policy("ali", &document(&[allow("*", "*"), deny_own])).await;
    assert!(!may(&ali, &of_alice).await && !may(&ali, &of_ali).await);
}

#[tokio::test]
async fn sessions_of_one_role_are_told_apart() {
    let deployment = Deployment::new().await;
    let ali = deployment.role_session("AmazonSSMReadOnlyAccess", None).await;
    let named = |session_name: &str| {
        let Principal::RoleSession { role, role_id, role_arn, .. } = ali.principal.clone() else {
            unreachable!("it is a session of a role")
        };
        let (arn, session_name) =
            (Arn::assumed_role(&account(), &role, session_name), session_name.to_owned());
        Caller {
            principal: Principal::RoleSession { role, role_id, role_arn, session_name, arn, node: None },
            ..ali.clone()
        }
    };
    let policy =
        InlinePolicy { name: "own".parse().unwrap(), document: document(&[own_sessions("aws:userid")]) };
    let role = PolicyHolder::Role("PosternNode".parse().unwrap());
    deployment.store.put_inline_policy(&role, &policy).await.unwrap();
    let (ali, alice) = (named("ali"), named("ali-ce"));
    let may = async |caller: &Caller, session: &SessionRecord| {
        deployment.decide(caller, [terminate(session)]).await.is_ok()
    };
    let (of_ali, of_alice) = (session_of(&ali, "ali"), session_of(&alice, "ali-ce"));
    assert!(may(&ali, &of_ali).await && may(&alice, &of_alice).await);
    assert!(!may(&ali, &of_alice).await && !may(&alice, &of_ali).await);
}

#[tokio::test]
async fn a_tag_of_the_caller_is_found_in_any_case_that_of_its_session_first() {
    let deployment = Deployment::new().await;
    let caller = deployment.role_session("AmazonSSMReadOnlyAccess", None).await;
    let tag =
        async |caller: &Caller| deployment.authorizer.principal_tag(caller, "SSMSessionRunAs").await.unwrap();
    assert_eq!(tag(&caller).await, None);
    let role = TaggedIdentity::Role("PosternNode".parse().unwrap());
    let of_role = Tag { key: "ssmsessionrunas".to_owned(), value: "ops".to_owned() };
    deployment.store.tag_identity(&role, &[of_role]).await.unwrap();
    assert_eq!(tag(&caller).await.as_deref(), Some("ops"));
    let mut facts = TokenFacts::new(NOW.parse().unwrap(), SignedDuration::from_hours(1));
    facts.tags.insert("SsmSessionRunAS".to_owned(), "web".to_owned());
    let tagged = Caller { token: Some(Arc::new(facts)), ..caller };
    assert_eq!(tag(&tagged).await.as_deref(), Some("web"));
}

/// A list is compared by the operators for lists. Without them a condition does not hold, not even in a deny: who denies
/// by a claim has to know that.
#[tokio::test]
async fn a_claim_with_many_values_is_compared_as_a_list() {
    let deployment = Deployment::new().await;
    let key = "idp.example:groups";
    for (user, operator, is_denied) in
        [("one", "StringEquals", false), ("many", "ForAnyValue:StringEquals", true)]
    {
        let mut denied = deny("ssm:StartSession", "*");
        denied["Condition"] = json!({operator: {key: "contractors"}});
        let caller = deployment.user(user, &[allow("*", "*"), denied]).await;
        let groups = ["staff", "contractors"].map(str::to_owned).to_vec();
        let outcome = deployment.decide(&caller, [start().with_all(key, groups)]).await;
        assert_eq!(outcome.is_err(), is_denied, "{operator}");
    }
}
