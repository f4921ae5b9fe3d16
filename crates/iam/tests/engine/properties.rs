//! What holds for any policy and request.

use postern_iam::{
    Context, Decision, NamedPolicy, Policies, Policy, PolicyKind, Principal, Request, Verdict, evaluate,
    explain,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{ALICE, BOB};

/// A pattern of few letters, so that it has a chance.
fn pattern() -> impl Strategy<Value = String> {
    "[ab*?ü]{0,12}"
}

/// What a wildcard pattern means, said without cleverness; only for short texts.
fn described(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => {
            described(rest, text) || text.split_first().is_some_and(|(_, after)| described(pattern, after))
        }
        (Some(('?', rest)), Some((_, after))) => described(rest, after),
        (Some((letter, rest)), Some((found, after))) => letter == found && described(rest, after),
        _ => false,
    }
}

fn matches(pattern: &str, resource: &str) -> bool {
    let text =
        format!(r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::x{pattern}"}}}}"#);
    let identity = [NamedPolicy::new("p", Policy::parse(PolicyKind::Identity, &text).unwrap())];
    let resource = format!("arn:aws:s3:::x{resource}");
    let request = Request {
        principal: ALICE,
        action: "s3:GetObject",
        resource: &resource,
        resource_account: "111122223333",
        context: &Context::new(),
    };
    evaluate(&Policies { identity: &identity, ..Policies::default() }, &request).is_allowed()
}

fn statement() -> impl Strategy<Value = String> {
    let actions = prop::sample::select(vec!["*", "ssm:*", "ssm:Start*", "SSM:StartSession", "s3:*"]);
    let resources =
        prop::sample::select(vec!["*", "arn:aws:ssm:*:*:managed-instance/*", "arn:aws:s3:::${aws:username}"]);
    let operators = prop::sample::select(vec![
        "StringEquals",
        "StringNotLikeIfExists",
        "ForAllValues:StringLike",
        "ForAnyValue:StringNotEquals",
    ]);
    let conditions = (operators, "[ab]{1}", "[ab*]{1,3}");
    let effect = prop::sample::select(vec!["Allow", "Allow", "Deny"]);
    (effect, actions, resources, prop::option::of(conditions)).prop_map(
        |(effect, action, resource, condition)| {
            let condition = condition.map_or(String::new(), |(operator, key, value)| {
                format!(r#","Condition":{{"{operator}":{{"k:{key}":"{value}"}}}}"#)
            });
            format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}"{condition}}}"#)
        },
    )
}

fn policy() -> impl Strategy<Value = NamedPolicy> {
    vec(statement(), 1..4).prop_map(|statements| {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        NamedPolicy::new("p", Policy::parse(PolicyKind::Identity, &text).unwrap())
    })
}

fn context() -> impl Strategy<Value = Context> {
    vec(("[ab]{1}", vec("[ab]{1,2}", 0..3)), 0..3).prop_map(|keys| {
        let mut context = Context::new().with("aws:username", "alice");
        for (key, values) in keys {
            let key = format!("k:{key}");
            match values.as_slice() {
                [value] => context.insert(key, value.as_str()),
                _ => context.insert(key, values),
            }
        }
        context
    })
}

fn ask(principal: Principal<'_>, policies: &Policies<'_>, context: &Context) -> Decision {
    let request = Request { context, ..crate::support::request(principal, context) };
    let decision = evaluate(policies, &request);
    let explanation = explain(policies, &request);
    assert_eq!(explanation.decision, decision);
    // What the traces say of each layer leads to the same verdict.
    let denied = explanation.layers.iter().any(|layer| layer.denies);
    assert_eq!(denied, decision.verdict == Verdict::ExplicitDeny);
    let silent = |layer: &postern_iam::LayerTrace| layer.layer == decision.layer && !layer.allows;
    assert!(
        decision.verdict != Verdict::ImplicitDeny
            || explanation.layers.iter().all(|layer| layer.layer != decision.layer || silent(layer))
    );
    assert!(!explanation.to_string().is_empty());
    decision
}

proptest! {
    #[test]
    fn globs_mean_what_they_say(pattern in pattern(), text in "[abü]{0,10}") {
        let (letters, found): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
        prop_assert_eq!(matches(&pattern, &text), described(&letters, &found), "{} {}", pattern, text);
    }

    #[test]
    fn any_text_is_a_policy_or_an_error_with_a_place(text in any::<String>()) {
        if let Err(error) = Policy::parse(PolicyKind::Identity, &text) {
            prop_assert!(error.position.line >= 1 && error.position.column >= 1);
        }
    }

    #[test]
    fn a_damaged_policy_is_a_policy_or_an_error(at in 0usize..200, byte in "[\\[\\]{}\",:*$0-9a-z\\\\]") {
        let mut text = r#"{"Version":"2012-10-17","Statement":[{"Sid":"A1","Effect":"Allow","Action":["ssm:*"],"Resource":"arn:aws:ssm:*:*:session/${aws:username}-*","Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":3600}}}]}"#.to_owned();
        let at = at.min(text.len() - 1);
        text.replace_range(at..=at, &byte);
        let _ = Policy::parse(PolicyKind::Identity, &text);
    }

    #[test]
    fn explanations_agree_with_decisions(
        identity in vec(policy(), 0..3), boundary in prop::option::of(policy()),
        session in prop::option::of(vec(policy(), 0..2)), levels in vec(vec(policy(), 1..2), 0..2), context in context(),
    ) {
        let policies = Policies {
            identity: &identity, boundary: boundary.as_ref(), session: session.as_deref(), resource: None, guardrails: &levels,
        };
        let _ = ask(BOB, &policies, &context);
    }

    #[test]
    fn a_policy_more_in_a_limit_never_allows_more(
        identity in vec(policy(), 0..3), limit in policy(), context in context(),
    ) {
        let without = Policies { identity: &identity, ..Policies::default() };
        let session = [limit.clone()];
        let levels = [vec![limit.clone()]];
        for with in [
            Policies { boundary: Some(&limit), ..without },
            Policies { session: Some(&session), ..without },
            Policies { guardrails: &levels, ..without },
        ] {
            prop_assert!(!ask(ALICE, &with, &context).is_allowed() || ask(ALICE, &without, &context).is_allowed());
        }
    }

    #[test]
    fn the_order_of_policies_does_not_matter(mut identity in vec(policy(), 0..4), context in context()) {
        let forth = ask(ALICE, &Policies { identity: &identity, ..Policies::default() }, &context).verdict;
        identity.reverse();
        let back = ask(ALICE, &Policies { identity: &identity, ..Policies::default() }, &context).verdict;
        prop_assert_eq!(forth, back);
    }
}
