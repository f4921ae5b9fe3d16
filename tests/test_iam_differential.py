"""Our policy engine against another: generated requests, the same policies, the same verdicts.

The other evaluator is @cloud-copilot/iam-simulate, run by `tests/node/iam_oracle.mjs` in processes of its own. Where the two
differ although both read the same documentation, a rule below says so, and `docs/iam-differences.md` says why. A rule
recognises the construct in the case, not the outcome; a difference that no rule covers fails the test.
"""

import json
import re
import subprocess
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.programs import ROOT, binary

CASES = 30_000
SEED = 20261127
PROCESSES = 2

ORACLE = ROOT / "tests" / "node" / "iam_oracle.mjs"
DIFFERENCES = ROOT / "docs" / "iam-differences.md"
EXAMPLE = "examples/iam_differential"


class Statement:
    """A statement of a generated case, with what the rules ask of it."""

    def __init__(self, policy: dict, statement: dict, given: dict, layer: str):
        self.policy, self.statement, self.given, self.layer = policy, statement, given, layer
        self.known = {key.lower(): value for key, value in given["context"].items()}

    def conditions(self):
        for operator, keys in self.statement.get("Condition", {}).items():
            for key, values in keys.items():
                yield operator, self.known.get(key.lower()), as_list(values)

    def unset(self, text: str) -> bool:
        """Whether a variable in the text has neither a value nor a default."""
        return any(name.lower() not in self.known for name in re.findall(r"\$\{([\w:/]+)\}", text))


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]


def statements(given: dict):
    layers = {
        "identity": given["identity"],
        "boundary": as_list(given["boundary"] or []),
        "session": as_list(given["session"] or []),
        "resource": as_list(given["resourcePolicy"] or []),
        "guardrail": [policy for level in given["guardrails"] for policy in level],
    }
    for layer, policies in layers.items():
        for policy in policies:
            for statement in as_list(policy["Statement"]):
                yield Statement(policy, statement, given, layer)


def root_user(given, _statements) -> bool:
    return given["principal"].endswith(":root")


def web_identity(given, _statements) -> bool:
    named = json.dumps(given["resourcePolicy"])
    account = given["principal"].split(":")[4] if ":oidc-provider/" in given["principal"] else None
    return account is not None and (f'"{account}"' in named or f"{account}:root" in named)


def every_account(given, all_statements) -> bool:
    belongs_to_none = not given["principal"].startswith("arn:") or ":oidc-provider/" in given["principal"]
    return belongs_to_none and any(
        "*" in as_list((s.statement.get(element) or {}).get("AWS", []))
        for s in all_statements
        for element in ("Principal", "NotPrincipal")
        if isinstance(s.statement.get(element), dict)
    )


def old_version(_given, all_statements) -> bool:
    return any(
        s.policy.get("Version") != "2012-10-17" and "${" in json.dumps(s.statement) for s in all_statements
    )


def unset_negated(_given, all_statements) -> bool:
    return any(
        "Not" in operator and any(s.unset(value) for value in values)
        for s in all_statements
        for operator, _, values in s.conditions()
    )


def unset_not_resource(_given, all_statements) -> bool:
    return any(s.unset(text) for s in all_statements for text in as_list(s.statement.get("NotResource", [])))


def mixed_dates(_given, all_statements) -> bool:
    def forms(values):
        return {"seconds" if re.fullmatch(r"-?\d+", value) else "date" for value in values}

    return any(
        "Date" in operator and known is not None and forms(values) - forms(as_list(known))
        for s in all_statements
        for operator, known, values in s.conditions()
    )


def direct_session(given, all_statements) -> bool:
    return bool(given["session"]) and any(
        s.layer == "resource" and s.statement["Effect"] == "Allow" for s in all_statements
    )


def any_value_if_exists(_given, all_statements) -> bool:
    return any(
        operator.startswith("ForAnyValue:") and operator.endswith("IfExists") and not known
        for s in all_statements
        for operator, known, _ in s.conditions()
    )


def partly_spared(given, all_statements) -> bool:
    account = given["principal"].split(":")[4] if given["principal"].startswith("arn:") else None
    itself = {given["principal"], account, given["behind"]} - {"", None}
    for s in all_statements:
        listed = set(as_list(s.statement.get("NotPrincipal", {}).get("AWS", [])))
        if listed & itself and itself - listed:
            return True
    return False


def addresses(_given, all_statements) -> bool:
    def misread(value, known):
        bare = "/" not in value
        return value.endswith("/0") and ":" not in value or bare and (":" in value) != (":" in known)

    return any(
        "IpAddress" in operator and isinstance(known, str) and any(misread(value, known) for value in values)
        for s in all_statements
        for operator, known, values in s.conditions()
    )


def empty_list(_given, all_statements) -> bool:
    return any(known == [] for s in all_statements for _, known, _ in s.conditions())


# Each heading of docs/iam-differences.md, and how a case of it is recognised.
RULES = {
    "Root user": root_user,
    "Web identities and accounts": web_identity,
    "Services, web identities and every account": every_account,
    "Variables before 2012-10-17": old_version,
    "Negated operators and variables without a value": unset_negated,
    "NotResource and variables without a value": unset_not_resource,
    "Dates in two forms": mixed_dates,
    "Grants to a session itself": direct_session,
    "ForAnyValue with IfExists": any_value_if_exists,
    "NotPrincipal that names a part of the caller": partly_spared,
    "Addresses of the other family, and the range of all": addresses,
    "Empty lists": empty_list,
}

# Where a difference can only have one form, it must have that: our verdict, theirs.
PAIRS = {
    "Root user": ("Allow", "ImplicitDeny"),
    "Grants to a session itself": ("Allow", "ImplicitDeny"),
    "NotPrincipal that names a part of the caller": ("ExplicitDeny", None),
    "Web identities and accounts": (None, "ExplicitDeny"),
    "Services, web identities and every account": (None, "Allow"),
}


def explanations(given: dict, ours: str, theirs: str) -> list[str]:
    """The rules that cover a difference."""

    def fits(name):
        our, their = PAIRS.get(name, (None, None))
        return our in (None, ours) and their in (None, theirs)

    all_statements = list(statements(given))
    return [name for name, rule in RULES.items() if fits(name) and rule(given, all_statements)]


def generate() -> list[str]:
    return subprocess.check_output([binary(EXAMPLE), str(CASES), str(SEED)], text=True).splitlines()


def oracle(lines: list[str]) -> list[str]:
    done = subprocess.run(["node", ORACLE], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    return [json.loads(line)["theirs"] for line in done.stdout.splitlines()]


def test_both_engines_agree():
    lines = generate()
    share = -(-len(lines) // PROCESSES)
    with ThreadPoolExecutor(PROCESSES) as pool:
        shares = pool.map(oracle, [lines[at : at + share] for at in range(0, len(lines), share)])
        theirs = [verdict for verdicts in shares for verdict in verdicts]
    assert len(theirs) == len(lines) == CASES

    verdicts, differences, unexplained = Counter(), defaultdict(int), []
    for line, their in zip(lines, theirs, strict=True):
        generated = json.loads(line)
        ours = generated["ours"]["verdict"]
        verdicts[ours] += 1
        if ours == their:
            continue
        given = generated["case"]
        found = explanations(given, ours, their)
        if found:
            differences[found[0]] += 1
        else:
            unexplained.append(f"case {generated['number']}: ours {generated['ours']}, theirs {their}\n{json.dumps(given)}")

    print(dict(verdicts), dict(differences))
    assert not unexplained, f"{len(unexplained)} differences:\n" + "\n\n".join(unexplained[:5])
    # A generator that gives one verdict only tests little, and few cases may rest on rules.
    assert min(verdicts[verdict] for verdict in ("Allow", "ImplicitDeny", "ExplicitDeny")) > CASES // 20
    assert sum(differences.values()) < CASES // 20
    # A rule without a case is out of date.
    assert set(differences) == set(RULES), set(RULES) - set(differences)


def test_each_difference_is_documented():
    headings = set(re.findall(r"^## (.+)$", Path(DIFFERENCES).read_text(), re.MULTILINE))
    assert headings == set(RULES)
