"""`postern explain`: why somebody may or may not, before anything is tried."""

import json
import subprocess

from harness.people import Person, allow, deny
from harness.programs import ACCOUNT, REGION, binary


def explain(server, *arguments: str, environment=None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [binary("postern"), "explain", *arguments],
        env=environment or server.client_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_what_allows_and_what_fails_is_told(server, node):
    web = {"StringEquals": {"ssm:resourceTag/team": "web"}}
    person = Person(server, allow("ssm:StartSession", Sid="Web", Condition=web))
    arn = f"arn:aws:ssm:{REGION}:{ACCOUNT}:managed-instance/{node.node_id}"
    question = ["--principal", person.arn, "--action", "ssm:StartSession", "--resource", arn]

    told = explain(server, *question, "--context", "ssm:resourceTag/team=web")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith(f"ALLOWED: {person.arn} may perform ssm:StartSession on {arn}.")
    assert "statement 1 (Web)" in told.stdout

    told = explain(server, *question, "--context", "ssm:resourceTag/team=db")
    assert told.returncode == 1
    assert told.stdout.startswith(f"DENIED: {person.arn} may not perform ssm:StartSession on {arn}, because no identity")
    assert "ssm:resourceTag/team" in told.stdout and "db" in told.stdout, "the condition that failed is named"


def test_the_tags_of_a_node_are_known(lab, server):
    node = lab.node(server)
    arn = f"arn:aws:ssm:{REGION}:{ACCOUNT}:managed-instance/{node.node_id}"
    web = {"StringEquals": {"ssm:resourceTag/Team": "web"}}
    person = Person(server, allow("ssm:StartSession", Condition=web))
    question = ["--principal", person.arn, "--action", "ssm:StartSession", "--resource", arn]
    assert explain(server, *question).returncode == 1, "it has none yet"

    server.client().add_tags_to_resource(
        ResourceType="ManagedInstance", ResourceId=node.node_id, Tags=[{"Key": "Team", "Value": "web"}]
    )
    told = explain(server, *question)
    assert (told.returncode, told.stderr) == (0, ""), told.stdout
    assert explain(server, *question, "--context", "ssm:resourceTag/team=db").returncode == 1, "what is given goes before"


def test_tags_that_the_caller_may_not_see_are_told_to_be_unknown(server, node):
    person = Person(server, allow("iam:SimulatePrincipalPolicy"))
    arn = f"arn:aws:ssm:{REGION}:{ACCOUNT}:managed-instance/{node.node_id}"
    question = ["--principal", person.arn, "--action", "ssm:StartSession", "--resource", arn]
    told = explain(server, *question, environment=person.environment())
    assert told.returncode == 1
    assert told.stdout.startswith("DENIED: ")
    assert told.stderr.startswith(f"The tags of {node.node_id} are not known: ")
    assert "ssm:ListTagsForResource" in told.stderr


def test_a_deny_is_told_as_data_too(server):
    person = Person(server, allow("*"), deny("ssm:DescribeSessions", Sid="No"))
    told = explain(server, "--principal", person.arn, "--action", "ssm:DescribeSessions", "--output", "json")
    assert told.returncode == 1
    answer = json.loads(told.stdout)
    assert answer["Decision"] == "explicitDeny"
    assert "(No)" in answer["Explanation"]


def test_what_a_principal_is_by_itself_is_known(server):
    own = "arn:aws:ssm:*:*:session/${aws:username}-*"
    person = Person(server, allow("ssm:TerminateSession", own))
    session = f"arn:aws:ssm:{REGION}:{ACCOUNT}:session/{person.name}-x"
    question = ["--principal", person.arn, "--action", "ssm:TerminateSession", "--resource"]
    assert explain(server, *question, session).returncode == 0
    assert explain(server, *question, session.replace(person.name, "somebody")).returncode == 1


def test_a_question_that_cannot_be_answered_is_refused(server):
    nobody = f"arn:aws:iam::{ACCOUNT}:user/nobody-at-all"
    told = explain(server, "--principal", nobody, "--action", "ssm:StartSession")
    assert told.returncode != 0
    assert "NoSuchEntity" in told.stderr
    assert "KEY=VALUE" in explain(server, "--principal", nobody, "--action", "a:B", "--context", "x").stderr


def test_aws_tools_get_awss_answer(server):
    """The explanation is only there for whoever asks for it."""
    person = Person(server, allow("ssm:StartSession"))
    simulate = server.client("iam").simulate_principal_policy
    answer = simulate(PolicySourceArn=person.arn, ActionNames=["ssm:StartSession"])["EvaluationResults"][0]
    assert answer["EvalDecision"] == "allowed"
    assert not answer.get("EvalDecisionDetails")
