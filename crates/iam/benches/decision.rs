//! The time that one decision takes: 10 policies with 100 statements, as a person in several groups has them.
//!
//! `cargo bench -p postern-iam`. The target is 5 µs a decision.
#![expect(clippy::unwrap_used, reason = "a policy that cannot be read ends the run")]

use std::hint::black_box;
use std::time::Instant;

use postern_iam::{
    Context, NamedPolicy, Policies, Policy, PolicyKind, Principal, Request, Verdict, evaluate,
};

const BATCHES: usize = 50;
const BATCH: u32 = 2_000;
const NODE: &str = "arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0";

fn main() {
    let policies: Vec<NamedPolicy> = (0..10).map(policy).collect();
    let in_force = Policies { identity: &policies, ..Policies::default() };
    let context = context();
    let cases = [
        ("allowed by the last policy", "ssm:StartSession", NODE, Verdict::Allow),
        ("no statement about the action", "ssm:CreateActivation", "*", Verdict::ImplicitDeny),
        (
            "own session, by a variable",
            "ssm:ResumeSession",
            "arn:aws:ssm:us-east-1:111122223333:session/alice-0a1b2c3d4e5f60718",
            Verdict::Allow,
        ),
        (
            "denied by a condition",
            "ssm:StartSession",
            "arn:aws:ssm:us-east-1::document/AWS-StartSSHSession",
            Verdict::ExplicitDeny,
        ),
    ];
    for (name, action, resource, expected) in cases {
        let principal = Principal::User { arn: "arn:aws:iam::111122223333:user/alice" };
        let request =
            Request { principal, action, resource, resource_account: "111122223333", context: &context };
        assert_eq!(evaluate(&in_force, &request).verdict, expected, "{name}");
        measure(name, || evaluate(black_box(&in_force), black_box(&request)).is_allowed());
    }
    measure(&format!("a context of {} keys", context.iter().count()), self::context);
}

/// Prints the time of one call, as the median of batches and as the fastest, which other work has not disturbed.
fn measure<T>(name: &str, mut call: impl FnMut() -> T) {
    let mut batches: Vec<u128> = (0..BATCHES)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..BATCH {
                black_box(call());
            }
            start.elapsed().as_nanos() / u128::from(BATCH)
        })
        .collect();
    batches.sort_unstable();
    println!("{name}: {} ns (fastest {} ns)", batches[BATCHES / 2], batches[0]);
}

/// Ten statements, of which most are about sessions: nothing is settled by the service alone.
fn policy(number: usize) -> NamedPolicy {
    let granted = if number == 9 { "WebServers" } else { "DbServers" };
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[
  {{"Effect":"Allow","Action":"ssm:StartSession","Resource":["arn:aws:ec2:*:*:instance/*","arn:aws:ssm:*:*:managed-instance/*"],
    "Condition":{{"StringLike":{{"ssm:resourceTag/Finance":["{granted}{number}*","{granted}"]}}}}}},
  {{"Effect":"Allow","Action":"ssm:StartSession","Resource":"arn:aws:ssm:*:*:document/Team{number}-*"}},
  {{"Effect":"Allow","Action":["ssm:TerminateSession","ssm:ResumeSession"],"Resource":"arn:aws:ssm:*:*:session/${{aws:username}}-*"}},
  {{"Effect":"Allow","Action":"ssmmessages:OpenDataChannel","Resource":"arn:aws:ssm:*:*:session/${{aws:userid}}-*"}},
  {{"Effect":"Allow","Action":["ssm:DescribeSessions","ssm:GetConnectionStatus","ssm:DescribeInstanceProperties","ec2:DescribeInstances"],"Resource":"*"}},
  {{"Effect":"Deny","Action":"ssm:StartSession","Resource":"arn:aws:ssm:*:*:document/AWS-StartSSHSession",
    "Condition":{{"NotIpAddress":{{"aws:SourceIp":["192.0.2.0/24","198.51.100.{number}"]}}}}}},
  {{"Effect":"Deny","Action":"ssm:*","Resource":"*","Condition":{{"DateGreaterThan":{{"aws:CurrentTime":"2030-01-0{day}T00:00:00Z"}}}}}},
  {{"Effect":"Allow","Action":["ssm:Get*","ssm:List*"],"Resource":"arn:aws:ssm:*:*:parameter/team{number}/*"}},
  {{"Effect":"Deny","NotAction":["iam:*","sts:*","ssm:*"],"Resource":"*","Condition":{{"BoolIfExists":{{"aws:MultiFactorAuthPresent":"false"}}}}}},
  {{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::bucket{number}","arn:aws:s3:::bucket{number}/*"]}}
]}}"#,
        day = number % 9 + 1
    );
    NamedPolicy::new(format!("policy/{number}"), Policy::parse(PolicyKind::Identity, &text).unwrap())
}

/// What a server knows of a call.
fn context() -> Context {
    Context::with_capacity(20)
        .with("aws:CurrentTime", "2026-06-15T12:00:00Z")
        .with("aws:EpochTime", "1781524800")
        .with("aws:SourceIp", "203.0.113.10")
        .with("aws:SecureTransport", true)
        .with(
            "aws:UserAgent",
            "aws-cli/2.27.0 md/awscrt#0.26.1 ua/2.1 os/linux md/arch#x86_64 lang/python#3.13.3",
        )
        .with("aws:RequestedRegion", "us-east-1")
        .with("aws:PrincipalArn", "arn:aws:iam::111122223333:user/alice")
        .with("aws:PrincipalAccount", "111122223333")
        .with("aws:PrincipalType", "User")
        .with("aws:userid", "AIDAALICEEXAMPLE0001")
        .with("aws:username", "alice")
        .with("aws:PrincipalTag/team", "blue")
        .with("aws:PrincipalTag/SSMSessionRunAs", "ops")
        .with("aws:MultiFactorAuthPresent", true)
        .with("aws:MultiFactorAuthAge", 600_i64)
        .with("aws:ResourceAccount", "111122223333")
        .with("ssm:resourceTag/Finance", "WebServers")
        .with("aws:ResourceTag/Finance", "WebServers")
        .with("ssm:resourceTag/env", "prod")
        .with("aws:ResourceTag/env", "prod")
}
