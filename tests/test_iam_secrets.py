"""What proves who somebody is rests sealed: nothing that the server writes holds it in clear."""

import base64
import time

from harness.totp import STEP_S, code_at


def test_secrets_of_identities_are_nowhere_in_clear(lab):
    server = lab.server().start()
    iam = server.client("iam")
    iam.create_user(UserName="alice")
    key = iam.create_access_key(UserName="alice")["AccessKey"]
    iam.create_login_profile(UserName="alice", Password="correct Horse 7")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="alice")["VirtualMFADevice"]
    seed = device["Base32StringSeed"].decode()
    now = time.time()
    codes = {f"AuthenticationCode{n}": code_at(seed, now + (n - 2) * STEP_S) for n in [1, 2]}
    iam.enable_mfa_device(UserName="alice", SerialNumber=device["SerialNumber"], **codes)
    server.client(
        "sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    ).get_caller_identity()
    server.stop()

    secrets = {
        "secret access key": key["SecretAccessKey"].encode(),
        "password": b"correct Horse 7",
        "hash of the password": b"$argon2id$",
        "seed": base64.b32decode(seed),
        "seed as text": seed.encode(),
        "seed as the API gives it": base64.b64encode(seed.encode()),
        "code": codes["AuthenticationCode2"].encode(),
    }
    files = [path for path in server.directory.rglob("*") if path.is_file()]
    assert any(path.name.startswith("postern.db") for path in files)
    found = set()
    for path in files:
        content = path.read_bytes()
        found |= {b"alice"} if b"alice" in content else set()
        for kind, secret in secrets.items():
            # Six digits may stand anywhere by chance; in the log they would be a word of their own.
            if kind == "code" and path.name != "server.log":
                continue
            assert secret not in content, f"the {kind} is in {path}"
    assert found, "the files that were read are those that the server wrote"
