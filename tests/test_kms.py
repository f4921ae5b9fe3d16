"""Encryption keys: what they encrypt, who may use them, and what becomes of them."""

import base64
import json
import sqlite3
import subprocess

import botocore.exceptions
import pytest
from harness.people import Person, RoleOf, allow, document
from harness.programs import ACCOUNT, REGION
from harness.waiting import eventually

CONTEXT = {"tenant": "blue", "purpose": "test"}


def refusal(call, **arguments) -> str:
    """The code of the error that a call ends with."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def to_account(actions="kms:*") -> dict:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": actions,
        "Resource": "*",
    }


def to_person(person: Person, actions, **more) -> dict:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": person.arn},
        "Action": actions,
        "Resource": "*",
    } | more


@pytest.fixture(scope="module")
def kms(server):
    return server.client("kms")


@pytest.fixture
def key(kms) -> str:
    return kms.create_key(Description="a key of a test")["KeyMetadata"]["KeyId"]


def encrypted(kms, key: str, plain: bytes = b"plain", **more) -> bytes:
    return kms.encrypt(KeyId=key, Plaintext=plain, **more)["CiphertextBlob"]


def events(server, name: str, key: str) -> list[dict]:
    trail = server.client("cloudtrail")
    found = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}])["Events"]
    records = [json.loads(event["CloudTrailEvent"]) for event in found]
    return [record for record in records if any(key in resource["ARN"] for resource in record.get("resources", []))]


def test_a_key_is_as_aws_describes_it(kms):
    made = kms.create_key(Description="for sessions", Tags=[{"TagKey": "team", "TagValue": "ops"}])["KeyMetadata"]
    assert made["Arn"] == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{made['KeyId']}"
    assert (made["KeyState"], made["Enabled"], made["KeyManager"]) == (
        "Enabled",
        True,
        "CUSTOMER",
    )
    assert (made["KeySpec"], made["KeyUsage"], made["Origin"]) == (
        "SYMMETRIC_DEFAULT",
        "ENCRYPT_DECRYPT",
        "AWS_KMS",
    )
    assert made["EncryptionAlgorithms"] == ["SYMMETRIC_DEFAULT"] and made["MultiRegion"] is False
    assert kms.describe_key(KeyId=made["Arn"])["KeyMetadata"] == made
    assert kms.list_resource_tags(KeyId=made["KeyId"])["Tags"] == [{"TagKey": "team", "TagValue": "ops"}]
    pages = kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 1})
    assert {"KeyId": made["KeyId"], "KeyArn": made["Arn"]} in [key for page in pages for key in page["Keys"]]


def test_what_is_encrypted_decrypts_with_its_context_only(kms, key):
    blob = encrypted(kms, key, b"\x00 plain", EncryptionContext=CONTEXT)
    answer = kms.decrypt(CiphertextBlob=blob, EncryptionContext=dict(reversed(CONTEXT.items())))
    assert answer["Plaintext"] == b"\x00 plain" and answer["KeyId"].endswith(key)
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT, KeyId=key)["Plaintext"] == b"\x00 plain"
    for context in (
        {},
        {"tenant": "blue"},
        CONTEXT | {"tenant": "red"},
        CONTEXT | {"more": "x"},
    ):
        assert refusal(kms.decrypt, CiphertextBlob=blob, EncryptionContext=context) == "InvalidCiphertextException"


def test_an_altered_ciphertext_does_not_decrypt(kms, key):
    blob = encrypted(kms, key)
    # The key that it names stands in its first bytes: with another one it is a ciphertext of a key that is not there.
    for at in (0, 18, 25, 40, len(blob) - 1):
        changed = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
        assert refusal(kms.decrypt, CiphertextBlob=changed) == "InvalidCiphertextException", at
        assert refusal(kms.decrypt, CiphertextBlob=changed, KeyId=key) == "InvalidCiphertextException", at
    assert refusal(kms.decrypt, CiphertextBlob=b"nonsense") == "InvalidCiphertextException"
    assert refusal(kms.decrypt, CiphertextBlob=blob[:30]) == "InvalidCiphertextException"
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    assert refusal(kms.decrypt, CiphertextBlob=blob, KeyId=other) == "IncorrectKeyException"


def test_data_keys_and_random_bytes(kms, key):
    for asked, length in (
        ({"KeySpec": "AES_256"}, 32),
        ({"KeySpec": "AES_128"}, 16),
        ({"NumberOfBytes": 64}, 64),
    ):
        made = kms.generate_data_key(KeyId=key, EncryptionContext=CONTEXT, **asked)
        assert len(made["Plaintext"]) == length
        opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
        assert opened["Plaintext"] == made["Plaintext"]
    hidden = kms.generate_data_key_without_plaintext(KeyId=key, KeySpec="AES_256")
    assert "Plaintext" not in hidden and len(kms.decrypt(CiphertextBlob=hidden["CiphertextBlob"])["Plaintext"]) == 32
    assert refusal(kms.generate_data_key, KeyId=key) == "ValidationException"
    one, other = (kms.generate_random(NumberOfBytes=32)["Plaintext"] for _ in range(2))
    assert len(one) == 32 and one != other


def test_a_dry_run_does_nothing(kms, key):
    assert refusal(kms.encrypt, KeyId=key, Plaintext=b"x", DryRun=True) == "DryRunOperationException"
    assert refusal(kms.encrypt, KeyId=key, Plaintext=b"x", GrantTokens=["x"]) == "InvalidGrantTokenException"


def test_re_encryption(kms, key):
    other = kms.create_key()["KeyMetadata"]
    blob = encrypted(kms, key, EncryptionContext=CONTEXT)
    moved = kms.re_encrypt(
        CiphertextBlob=blob,
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId=other["Arn"],
    )
    assert moved["SourceKeyId"].endswith(key) and moved["KeyId"] == other["Arn"]
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], KeyId=other["KeyId"])["Plaintext"] == b"plain"


def test_aliases(kms, key):
    alias = f"alias/test/{key}"
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    assert refusal(kms.create_alias, AliasName=alias, TargetKeyId=key) == "AlreadyExistsException"
    for wrong in ("alias/aws/mine", "mine"):
        assert refusal(kms.create_alias, AliasName=wrong, TargetKeyId=key) == "InvalidAliasNameException"
    blob = encrypted(kms, alias)
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias}"
    assert kms.decrypt(CiphertextBlob=blob, KeyId=arn)["Plaintext"] == b"plain"
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.update_alias(AliasName=alias, TargetKeyId=other)
    assert kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"] == other
    assert kms.decrypt(CiphertextBlob=blob)["KeyId"].endswith(key)
    assert [a["AliasArn"] for a in kms.list_aliases(KeyId=other)["Aliases"]] == [arn]
    kms.delete_alias(AliasName=alias)
    assert refusal(kms.describe_key, KeyId=alias) == "NotFoundException"
    # Only what uses or shows a key takes an alias.
    assert refusal(kms.disable_key, KeyId=alias) == "NotFoundException"


def test_a_disabled_key_does_nothing(kms, key):
    blob = encrypted(kms, key)
    kms.disable_key(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    assert refusal(kms.decrypt, CiphertextBlob=blob) == "DisabledException"
    assert refusal(kms.encrypt, KeyId=key, Plaintext=b"x") == "DisabledException"
    assert refusal(kms.generate_data_key, KeyId=key, KeySpec="AES_256") == "DisabledException"
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_a_key_waits_for_its_deletion(kms, key):
    blob = encrypted(kms, key)
    assert refusal(kms.cancel_key_deletion, KeyId=key) == "KMSInvalidStateException"
    for days in (6, 31):
        assert refusal(kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=days) == "ValidationException"
    assert kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)["KeyState"] == "PendingDeletion"
    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (metadata["DeletionDate"] - metadata["CreationDate"]).days == 7
    assert refusal(kms.decrypt, CiphertextBlob=blob) == "KMSInvalidStateException"
    assert refusal(kms.enable_key, KeyId=key) == "KMSInvalidStateException"
    assert refusal(kms.create_alias, AliasName=f"alias/{key}", TargetKeyId=key) == "KMSInvalidStateException"
    kms.cancel_key_deletion(KeyId=key)
    assert refusal(kms.decrypt, CiphertextBlob=blob) == "DisabledException"
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_after_a_rotation_older_ciphertexts_decrypt(server, kms, key):
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    unchecked = server.client("kms", validate=False)
    assert refusal(unchecked.enable_key_rotation, KeyId=key, RotationPeriodInDays=89) == "ValidationException"
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=key)
    assert status["KeyRotationEnabled"] is True and status["RotationPeriodInDays"] == 90
    old = kms.encrypt(KeyId=key, Plaintext=b"old")
    first = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    kms.rotate_key_on_demand(KeyId=key)
    second = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert first != second
    opened = kms.decrypt(CiphertextBlob=old["CiphertextBlob"])
    assert opened["Plaintext"] == b"old" and opened["KeyMaterialId"] == first
    assert kms.decrypt(CiphertextBlob=encrypted(kms, key))["KeyMaterialId"] == second
    rotations = kms.list_key_rotations(KeyId=key)["Rotations"]
    assert [(each["RotationType"], each["KeyMaterialId"]) for each in rotations] == [("ON_DEMAND", second)]
    kms.disable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


def test_the_default_policy_leaves_it_to_iam(server, kms, key):
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    assert policy["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
    blob = encrypted(kms, key)
    stranger, user = (
        Person(server, allow("ssm:*")),
        Person(server, allow("kms:Decrypt")),
    )
    assert refusal(stranger.client("kms").decrypt, CiphertextBlob=blob) == "AccessDeniedException"
    assert user.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"
    assert refusal(user.client("kms").encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"


def test_a_key_policy_that_does_not_allow_denies_whatever_iam_says(server, kms, key):
    blob = encrypted(kms, key)
    person, other = Person(server), Person(server, allow("kms:*"))
    policy = document(
        to_account(["kms:PutKeyPolicy", "kms:GetKeyPolicy"]),
        to_person(person, "kms:Decrypt"),
    )
    kms.put_key_policy(KeyId=key, Policy=policy)
    # Named by the key policy itself: no policy of its own is needed.
    assert person.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"
    assert refusal(other.client("kms").decrypt, CiphertextBlob=blob) == "AccessDeniedException"
    assert refusal(other.client("kms").describe_key, KeyId=key) == "AccessDeniedException"
    assert json.loads(other.client("kms").get_key_policy(KeyId=key)["Policy"]) == json.loads(policy)


def test_nobody_locks_everybody_out(server, kms, key):
    person = Person(server)
    locked = document(to_person(person, "kms:Decrypt"))
    assert refusal(kms.put_key_policy, KeyId=key, Policy=locked) == "MalformedPolicyDocumentException"
    assert refusal(kms.create_key, Policy=locked) == "MalformedPolicyDocumentException"
    kms.put_key_policy(KeyId=key, Policy=locked, BypassPolicyLockoutSafetyCheck=True)
    assert refusal(kms.get_key_policy, KeyId=key) == "AccessDeniedException"


def test_a_key_policy_is_a_policy_and_names_whom_there_is(kms, key):
    nobody = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody-here"},
        "Action": "kms:*",
    }
    for policy in (
        "{",
        document(allow("kms:*")),
        document(to_account(), nobody | {"Resource": "*"}),
    ):
        assert refusal(kms.put_key_policy, KeyId=key, Policy=policy) == "MalformedPolicyDocumentException"
    assert refusal(kms.get_key_policy, KeyId=key, PolicyName="other") == "NotFoundException"


def test_conditions_of_the_encryption_context(server, kms, key):
    only_blue = {"StringEquals": {"kms:EncryptionContext:tenant": "blue"}}
    person = Person(server, allow("kms:GenerateDataKey*", Condition=only_blue))
    client = person.client("kms")
    assert client.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT)["Plaintext"]
    for context in ({}, {"tenant": "red"}):
        asked = {"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": context}
        assert refusal(client.generate_data_key, **asked) == "AccessDeniedException"


def test_tags_decide(server, kms, key):
    blob = encrypted(kms, key)
    person = Person(
        server,
        allow("kms:Decrypt", Condition={"StringEquals": {"aws:ResourceTag/team": "ops"}}),
    )
    assert refusal(person.client("kms").decrypt, CiphertextBlob=blob) == "AccessDeniedException"
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "team", "TagValue": "ops"}])
    assert person.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"
    kms.untag_resource(KeyId=key, TagKeys=["team"])
    assert refusal(person.client("kms").decrypt, CiphertextBlob=blob) == "AccessDeniedException"


def test_whoever_may_not_ask_is_not_told_what_there_is(server):
    stranger = Person(server, allow("ssm:*")).client("kms")
    absent = "11111111-2222-4333-8444-555555555555"
    for name in (absent, "alias/nothing"):
        assert refusal(stranger.describe_key, KeyId=name) == "AccessDeniedException"
        assert refusal(server.client("kms").describe_key, KeyId=name) == "NotFoundException"


def test_a_role_uses_a_key(server, kms, key):
    role = RoleOf(Person(server, allow("sts:AssumeRole")), allow("kms:Decrypt"))
    assert role.assume().client("kms").decrypt(CiphertextBlob=encrypted(kms, key))["Plaintext"] == b"plain"


def test_what_is_not_there_says_so(kms, key):
    for create in (
        {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
        {"Origin": "EXTERNAL"},
        {"MultiRegion": True},
    ):
        assert refusal(kms.create_key, **create) == "UnsupportedOperationException"
    grant = {
        "KeyId": key,
        "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:root",
        "Operations": ["Decrypt"],
    }
    assert refusal(kms.create_grant, **grant) == "UnknownOperationException"
    assert refusal(kms.sign, KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_256") == "UnknownOperationException"


def test_calls_are_on_the_trail_without_what_is_secret(server, kms, key):
    blob = encrypted(kms, key, b"not for the trail", EncryptionContext=CONTEXT)
    kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)
    kms.generate_data_key(KeyId=key, NumberOfBytes=64, EncryptionContext=CONTEXT)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    for name in ("Encrypt", "Decrypt", "GenerateDataKey"):
        (record,) = events(server, name, key)
        assert record["eventSource"] == "kms.amazonaws.com" and record["readOnly"] is True
        assert record["requestParameters"]["encryptionContext"] == CONTEXT
        assert record["resources"][0]["type"] == "AWS::KMS::Key"
        assert record["responseElements"] is None
        text = json.dumps(record).lower()
        assert "blob" not in text and "plaintext" not in text
    (scheduled,) = events(server, "ScheduleKeyDeletion", key)
    assert scheduled["requestParameters"]["pendingWindowInDays"] == 7 and scheduled["readOnly"] is False


def test_keys_are_there_after_a_restart(lab):
    server = lab.server().start()
    kms = server.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = encrypted(kms, key)
    server.stop()
    server.start()
    assert server.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"plain"


def test_a_key_whose_time_has_come_is_deleted(lab):
    server = lab.server().start()
    kms = server.client("kms")
    due, other = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    blobs = [encrypted(kms, key) for key in (due, other)]
    for key in (due, other):
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    server.stop()

    def row(statement: str, *values):
        with sqlite3.connect(server.data / "postern.db") as database:
            return database.execute(statement, values).fetchone()

    row("UPDATE kms_keys SET deletion_at = 1 WHERE id = ?", due)
    server.start()
    kms = server.client("kms")

    def is_gone():
        return due not in [key["KeyId"] for key in kms.list_keys()["Keys"]]

    eventually(is_gone, "the key is deleted")
    assert refusal(kms.decrypt, CiphertextBlob=blobs[0]) == "NotFoundException"
    assert row("SELECT count(*) FROM kms_materials WHERE key_id = ?", due) == (0,)
    (deleted,) = events(server, "DeleteKey", due)
    assert deleted["eventSource"] == "kms.amazonaws.com"
    # The other's time has not come.
    kms.cancel_key_deletion(KeyId=other)
    kms.enable_key(KeyId=other)
    assert kms.decrypt(CiphertextBlob=blobs[1])["Plaintext"] == b"plain"


def test_names_of_a_context_differ_in_more_than_case(kms, key):
    context = {"Tenant": "red", "tenant": "blue"}
    assert refusal(kms.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext=context) == "ValidationException"


def test_the_aws_cli(server, tmp_path):
    administrator = Person(server, allow("*"))

    def aws(*arguments: str) -> dict:
        done: subprocess.CompletedProcess = administrator.aws("kms", *arguments, "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    key = aws("create-key", "--description", "by hand")["KeyMetadata"]["KeyId"]
    aws("create-alias", "--alias-name", f"alias/cli-{key}", "--target-key-id", key)
    plain = tmp_path / "plain"
    plain.write_bytes(b"from the command line")
    blob = aws(
        "encrypt",
        "--key-id",
        f"alias/cli-{key}",
        "--plaintext",
        f"fileb://{plain}",
        "--encryption-context",
        "a=b",
    )["CiphertextBlob"]
    sealed = tmp_path / "sealed"
    sealed.write_bytes(base64.b64decode(blob))
    opened = aws(
        "decrypt",
        "--ciphertext-blob",
        f"fileb://{sealed}",
        "--encryption-context",
        "a=b",
    )
    assert base64.b64decode(opened["Plaintext"]) == plain.read_bytes()
    assert aws("schedule-key-deletion", "--key-id", key)["KeyState"] == "PendingDeletion"
