//! The order of layers, who limits whom, and AWS's words for it.

use postern_iam::{
    Context, Decision, Layer, NamedPolicy, Policies, PolicyKind, Principal, Request, Verdict, evaluate,
};

use crate::support::{ACCOUNT, ALICE, BOB, NODE, identity, policy, request};

const ALL: &str = r#"{"Sid":"All","Effect":"Allow","Action":"*","Resource":"*"}"#;
const OTHER: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
const NONE: &str = r#"{"Sid":"None","Effect":"Deny","Action":"*","Resource":"*"}"#;
const ROOT: Principal<'static> = Principal::Root { arn: "arn:aws:iam::111122223333:root" };

fn decide(principal: Principal<'_>, policies: &Policies<'_>) -> Decision {
    evaluate(policies, &request(principal, &Context::new()))
}

fn resource(principal: &str) -> NamedPolicy {
    let statement =
        format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"ssm:*","Resource":"*"}}"#);
    policy(PolicyKind::Resource, &statement)
}

fn guardrail(statements: &str) -> NamedPolicy {
    policy(PolicyKind::Guardrail, statements)
}

#[test]
fn the_first_silent_layer_is_the_cause() {
    let (all, other) = ([identity(ALL)], [identity(OTHER)]);
    let levels = |statements: &[&str]| -> Vec<Vec<NamedPolicy>> {
        statements.iter().map(|statement| vec![guardrail(statement)]).collect()
    };
    let (open, closed) = (levels(&[ALL, ALL]), levels(&[ALL, OTHER]));
    let bob = |identity, boundary, session, guardrails| {
        decide(BOB, &Policies { identity, boundary, session: Some(session), resource: None, guardrails })
    };
    let cases = [
        (bob(&all, Some(&all[0]), &all, &open), Verdict::Allow, Layer::Identity),
        (bob(&other, Some(&other[0]), &other, &closed), Verdict::ImplicitDeny, Layer::Guardrail),
        (bob(&other, Some(&other[0]), &other, &open), Verdict::ImplicitDeny, Layer::Identity),
        (bob(&all, Some(&other[0]), &other, &open), Verdict::ImplicitDeny, Layer::Boundary),
        (bob(&all, Some(&all[0]), &other, &open), Verdict::ImplicitDeny, Layer::Session),
        (bob(&all, Some(&all[0]), &[], &open), Verdict::ImplicitDeny, Layer::Session),
    ];
    for (decision, verdict, layer) in cases {
        assert_eq!((decision.verdict, decision.layer), (verdict, layer), "{decision:?}");
    }
}

#[test]
fn a_level_that_allows_late_does_not_open_one_before() {
    let all = [identity(ALL)];
    let levels = [vec![guardrail(OTHER), guardrail(OTHER)], vec![guardrail(ALL)]];
    let policies = Policies { identity: &all, guardrails: &levels, ..Policies::default() };
    assert_eq!(decide(ALICE, &policies).layer, Layer::Guardrail);
    let levels = [vec![guardrail(OTHER), guardrail(ALL)], vec![guardrail(ALL)]];
    assert!(decide(ALICE, &Policies { guardrails: &levels, ..policies }).is_allowed());
    let empty = [vec![]];
    assert_eq!(decide(ALICE, &Policies { guardrails: &empty, ..policies }).layer, Layer::Guardrail);
}

#[test]
fn a_deny_of_any_layer_wins_and_is_named() {
    let (all, none) = ([identity(ALL)], [identity(ALL), identity(NONE)]);
    let denying = policy(
        PolicyKind::Resource,
        r#"{"Sid":"No","Effect":"Deny","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}"#,
    );
    let levels = [vec![guardrail(ALL), guardrail(NONE)]];
    let base = Policies { identity: &all, ..Policies::default() };
    let cases = [
        (Policies { identity: &none, ..base }, Layer::Identity),
        (Policies { boundary: Some(&none[1]), ..base }, Layer::Boundary),
        (Policies { session: Some(&none), ..base }, Layer::Session),
        (Policies { resource: Some(&denying), ..base }, Layer::Resource),
        (
            Policies { guardrails: &levels, resource: Some(&denying), identity: &none, ..base },
            Layer::Guardrail,
        ),
    ];
    for (policies, layer) in cases {
        let decision = decide(BOB, &policies);
        assert_eq!((decision.verdict, decision.layer), (Verdict::ExplicitDeny, layer), "{decision:?}");
        let sid = decision.statement.unwrap().sid;
        assert!(matches!(sid.as_deref(), Some("None" | "No")), "{sid:?}");
    }
}

#[test]
fn everybody_with_an_account_is_no_service() {
    let service = Principal::Service { name: "ssm.amazonaws.com" };
    let web_identity =
        Principal::WebIdentity { provider: "arn:aws:iam::111122223333:oidc-provider/idp.example" };
    let of = |effect: &str, principal: &str| {
        let allow = r#"{"Effect":"Allow","Principal":"*","Action":"ssm:*","Resource":"*"}"#;
        let statement = format!(r#"{{"Effect":"{effect}",{principal},"Action":"ssm:*","Resource":"*"}}"#);
        let statements = if effect == "Allow" { statement } else { format!("{allow},{statement}") };
        policy(PolicyKind::Resource, &statements)
    };
    let is_allowed = |caller, policy: &NamedPolicy| {
        decide(caller, &Policies { resource: Some(policy), ..Policies::default() }).is_allowed()
    };
    // Allow, Deny, and a Deny that spares them.
    for (effect, element, [of_people, of_others]) in [
        ("Allow", r#""Principal":"*""#, [true, true]),
        ("Allow", r#""Principal":{"AWS":"*"}"#, [true, false]),
        ("Allow", r#""Principal":{"AWS":["*","111122223333"]}"#, [true, false]),
        ("Deny", r#""Principal":"*""#, [false, false]),
        ("Deny", r#""Principal":{"AWS":"*"}"#, [false, false]),
        ("Deny", r#""NotPrincipal":"*""#, [true, true]),
        ("Deny", r#""NotPrincipal":{"AWS":"*"}"#, [true, false]),
    ] {
        let policy = of(effect, element);
        for caller in [ALICE, BOB] {
            assert_eq!(is_allowed(caller, &policy), of_people, "{effect} {element} {caller:?}");
        }
        for caller in [service, web_identity] {
            assert_eq!(is_allowed(caller, &policy), of_others, "{effect} {element} {caller:?}");
        }
    }
}

#[test]
fn grants_of_a_resource_within_one_account() {
    let silent = [identity(OTHER)];
    let user = r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#;
    let role = r#"{"AWS":"arn:aws:iam::111122223333:role/ops/OpsRole"}"#;
    let session = r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/OpsRole/bob"}"#;
    let account = r#"{"AWS":"111122223333"}"#;
    let nobody = r#"{"AWS":"arn:aws:iam::111122223333:role/OpsRole"}"#;
    // Named how; limited by a silent identity policy, boundary, session policy.
    let cases = [
        (ALICE, user, [false, false, false]),
        (ALICE, r#""*""#, [false, false, false]),
        (ALICE, account, [true, true, true]),
        (BOB, role, [false, true, true]),
        (BOB, session, [false, false, false]),
        (BOB, r#"{"AWS":"*"}"#, [false, false, false]),
        (BOB, account, [true, true, true]),
        (BOB, nobody, [true, true, true]),
    ];
    for (caller, principal, [by_identity, by_boundary, by_session]) in cases {
        let resource = resource(principal);
        let base = Policies { resource: Some(&resource), ..Policies::default() };
        let with_boundary = Policies { boundary: Some(&silent[0]), ..base };
        let with_session = Policies { session: Some(&silent), ..base };
        assert_eq!(!decide(caller, &base).is_allowed(), by_identity, "{principal}");
        assert_eq!(!decide(caller, &with_boundary).is_allowed(), by_boundary, "{principal}");
        assert_eq!(!decide(caller, &with_session).is_allowed(), by_session, "{principal}");
    }
}

#[test]
fn both_accounts_must_allow() {
    let eve = Principal::User { arn: "arn:aws:iam::444455556666:user/eve" };
    let (all, silent) = ([identity(ALL)], identity(OTHER));
    let named = resource(r#"{"AWS":"arn:aws:iam::444455556666:user/eve"}"#);
    let everyone = resource(r#""*""#);
    let base = Policies { identity: &all, resource: Some(&named), ..Policies::default() };
    let cases = [
        (base, Verdict::Allow, Layer::Identity),
        (Policies { resource: Some(&everyone), ..base }, Verdict::Allow, Layer::Identity),
        (Policies { resource: None, ..base }, Verdict::ImplicitDeny, Layer::Resource),
        (Policies { identity: &[], ..base }, Verdict::ImplicitDeny, Layer::Identity),
        (Policies { boundary: Some(&silent), ..base }, Verdict::ImplicitDeny, Layer::Boundary),
    ];
    for (policies, verdict, layer) in cases {
        let decision = decide(eve, &policies);
        assert_eq!((decision.verdict, decision.layer), (verdict, layer), "{decision:?}");
    }
}

#[test]
fn trust_and_key_policies_must_allow() {
    let all = [identity(ALL)];
    let statement = |principal: &str, resource: &str| {
        format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"*"{resource}}}"#)
    };
    for (kind, resource) in [(PolicyKind::Trust, ""), (PolicyKind::Key, r#","Resource":"*""#)] {
        let silent = policy(kind, &statement(r#"{"Service":"ssm.amazonaws.com"}"#, resource));
        let account = policy(kind, &statement(r#"{"AWS":"111122223333"}"#, resource));
        let user = policy(kind, &statement(r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#, resource));
        let base = Policies { identity: &all, ..Policies::default() };
        let with = |resource| Policies { resource: Some(resource), ..base };
        assert_eq!(decide(ALICE, &with(&silent)).layer, Layer::Resource, "{kind}");
        assert_eq!(decide(ROOT, &with(&silent)).verdict, Verdict::ImplicitDeny, "{kind}");
        assert!(decide(ROOT, &with(&account)).is_allowed(), "{kind}");
        assert!(decide(ALICE, &with(&account)).is_allowed(), "{kind}");
        let without = |resource| Policies { identity: &[], ..with(resource) };
        assert_eq!(decide(ALICE, &without(&account)).layer, Layer::Identity, "{kind}");
        assert!(decide(ALICE, &without(&user)).is_allowed(), "{kind}");
    }
}

#[test]
fn services_and_web_identities_rest_on_the_resource_alone() {
    let service = Principal::Service { name: "ssm.amazonaws.com" };
    let provider = "arn:aws:iam::111122223333:oidc-provider/id.example.com";
    let somebody = Principal::WebIdentity { provider };
    let trust = |principal: &str| {
        policy(PolicyKind::Trust, &format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"*"}}"#))
    };
    let of_service = trust(r#"{"Service":"ssm.amazonaws.com"}"#);
    let of_provider = trust(&format!(r#"{{"Federated":"{provider}"}}"#));
    let of_account = trust(r#"{"AWS":"111122223333"}"#);
    let closed = [vec![guardrail(NONE)]];
    let with = |resource| Policies { resource: Some(resource), ..Policies::default() };
    assert!(decide(service, &with(&of_service)).is_allowed());
    assert!(decide(service, &Policies { guardrails: &closed, ..with(&of_service) }).is_allowed());
    assert!(decide(somebody, &with(&of_provider)).is_allowed());
    assert!(!decide(somebody, &Policies { guardrails: &closed, ..with(&of_provider) }).is_allowed());
    for (caller, resource) in
        [(service, &of_provider), (service, &of_account), (somebody, &of_service), (somebody, &of_account)]
    {
        assert_eq!(decide(caller, &with(resource)).layer, Layer::Resource);
    }
    assert_eq!(decide(service, &Policies::default()).verdict, Verdict::ImplicitDeny);
}

#[test]
fn a_root_user_needs_no_policy_and_is_bound_by_guardrails() {
    let decision = decide(ROOT, &Policies::default());
    assert!(decision.is_allowed() && decision.statement.is_none());
    let closed = [vec![guardrail(OTHER)]];
    assert_eq!(
        decide(ROOT, &Policies { guardrails: &closed, ..Policies::default() }).layer,
        Layer::Guardrail
    );
}

#[test]
fn not_principal_spares_whom_it_lists_in_full() {
    let all = [identity(ALL)];
    let sparing = |listed: &str| {
        let statement =
            format!(r#"{{"Effect":"Deny","NotPrincipal":{{"AWS":[{listed}]}},"Action":"*","Resource":"*"}}"#);
        policy(PolicyKind::Resource, &statement)
    };
    let (account, user) = (r#""111122223333""#, r#""arn:aws:iam::111122223333:user/alice""#);
    let (role, session) = (
        r#""arn:aws:iam::111122223333:role/ops/OpsRole""#,
        r#""arn:aws:sts::111122223333:assumed-role/OpsRole/bob""#,
    );
    let cases = [
        (ALICE, vec![account, user], true),
        (ALICE, vec![account], false),
        (ALICE, vec![user], false),
        (BOB, vec![account, role, session], true),
        (BOB, vec![account, role], false),
        (ROOT, vec![account], true),
        (ALICE, vec![r#""*""#], true),
    ];
    for (caller, listed, spared) in cases {
        let resource = sparing(&listed.join(","));
        let policies = Policies { identity: &all, resource: Some(&resource), ..Policies::default() };
        assert_eq!(decide(caller, &policies).is_allowed(), spared, "{listed:?}");
    }
    // Nobody with a boundary is spared.
    let resource = sparing(&[account, user].join(","));
    let bounded = Policies {
        identity: &all,
        resource: Some(&resource),
        boundary: Some(&all[0]),
        ..Policies::default()
    };
    assert_eq!(decide(ALICE, &bounded).verdict, Verdict::ExplicitDeny);
}

#[test]
fn federated_users_are_behind_their_user() {
    let caller = Principal::FederatedUser {
        user: "arn:aws:iam::111122223333:user/alice",
        session: "arn:aws:sts::111122223333:federated-user/desk",
    };
    let silent = [identity(OTHER)];
    let of_user = resource(r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#);
    let of_session = resource(r#"{"AWS":"arn:aws:sts::111122223333:federated-user/desk"}"#);
    let with =
        |resource| Policies { resource: Some(resource), session: Some(&silent), ..Policies::default() };
    assert_eq!(decide(caller, &with(&of_user)).layer, Layer::Session);
    assert!(decide(caller, &with(&of_session)).is_allowed());
}

#[test]
fn of_two_names_a_deny_of_either_denies_and_an_allow_of_either_allows() {
    let only = r#"{"Effect":"Allow","Action":"ssm:*","Resource":"arn:aws:ssm:*:*:session/AIDA1-*"},
        {"Effect":"Deny","Action":"ssm:*","Resource":"arn:aws:ssm:*:*:session/alice-9*"}"#;
    let identity = [identity(only)];
    let policies = Policies { identity: &identity, ..Policies::default() };
    let context = Context::new();
    let ask = |id: &str| {
        let resource = format!("arn:aws:ssm:r:111122223333:session/{id}");
        let request = Request { resource: &resource, ..request(ALICE, &context) };
        evaluate(&policies, &request)
    };
    assert!(ask("alice-1").of_either(ask("AIDA1-1")).is_allowed());
    assert!(ask("AIDA1-1").of_either(ask("alice-1")).is_allowed());
    assert_eq!(ask("AIDA1-9").of_either(ask("alice-9")).verdict, Verdict::ExplicitDeny);
    assert_eq!(ask("alice-1").of_either(ask("alice-2")).verdict, Verdict::ImplicitDeny);
}

#[test]
fn denials_in_the_words_of_aws() {
    let (all, none) = ([identity(ALL)], [identity(NONE)]);
    let (silent, levels) = ([identity(OTHER)], [vec![guardrail(OTHER)]]);
    let base = Policies { identity: &all, ..Policies::default() };
    let foreign = Principal::User { arn: "arn:aws:iam::444455556666:user/eve" };
    let cases = [
        (ALICE, Policies::default(), "because no identity-based policy allows the ssm:StartSession action"),
        (
            ALICE,
            Policies { boundary: Some(&silent[0]), ..base },
            "because no permissions boundary allows the ssm:StartSession action",
        ),
        (
            BOB,
            Policies { session: Some(&silent), ..base },
            "because no session policy allows the ssm:StartSession action",
        ),
        (
            ALICE,
            Policies { guardrails: &levels, ..base },
            "because no service control policy allows the ssm:StartSession action",
        ),
        (foreign, base, "because no resource-based policy allows the ssm:StartSession action"),
        (ALICE, Policies { identity: &none, ..base }, "with an explicit deny in an identity-based policy"),
        (
            ALICE,
            Policies { boundary: Some(&none[0]), ..base },
            "with an explicit deny in a permissions boundary",
        ),
        (BOB, Policies { session: Some(&none), ..base }, "with an explicit deny in a session policy"),
    ];
    for (caller, policies, reason) in cases {
        let decision = decide(caller, &policies);
        let message = decision.denial(caller.arn(), "ssm:StartSession", NODE).unwrap();
        let expected = format!(
            "User: {} is not authorized to perform: ssm:StartSession on resource: {NODE} {reason}",
            caller.arn()
        );
        assert_eq!(message, expected);
    }
    assert_eq!(decide(ALICE, &base).denial(ALICE.arn(), "ssm:StartSession", NODE), None);
}

#[test]
fn callers_have_an_account() {
    assert_eq!(
        (ALICE.account(), BOB.account(), ROOT.account()),
        (Some(ACCOUNT), Some(ACCOUNT), Some(ACCOUNT))
    );
    assert_eq!(Principal::Service { name: "ssm.amazonaws.com" }.account(), None);
}
