"""Encryption keys whose material is encrypted by a Vault: a transit engine of the tests' own, over HTTPS."""

import base64
import json
import os

import botocore.exceptions
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from harness.https import Authority, Https, Request
from harness.programs import free_port

TOKEN = "hvs.token-of-a-test"


class Vault:
    """`encrypt` and `decrypt` of the key `postern` in the transit engine at `ops/transit`."""

    def __init__(self, authority: Authority):
        self.cipher, self.asked, self.token, self.sealed = AESGCM(AESGCM.generate_key(256)), [], TOKEN, False
        self.https = Https(authority, self._serve)
        self.url = f"https://localhost:{self.https.port}"

    def _serve(self, request: Request) -> tuple[int, dict, bytes]:
        status, answer = self.answer(request.path, request.headers, json.loads(request.body))
        return status, {}, json.dumps(answer).encode()

    def answer(self, path: str, headers, content: dict) -> tuple[int, dict]:
        verb = path.split("/")[-2]
        self.asked.append(verb)
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if headers["X-Vault-Token"] != self.token or headers["X-Vault-Request"] != "true":
            return 403, {"errors": ["permission denied"]}
        if path == "/v1/ops/transit/encrypt/postern":
            nonce = os.urandom(12)
            sealed = nonce + self.cipher.encrypt(nonce, base64.b64decode(content["plaintext"]), None)
            return 200, {"data": {"ciphertext": "vault:v1:" + base64.b64encode(sealed).decode(), "key_version": 1}}
        if path == "/v1/ops/transit/decrypt/postern":
            sealed = base64.b64decode(content["ciphertext"].removeprefix("vault:v1:"))
            return 200, {"data": {"plaintext": base64.b64encode(self.cipher.decrypt(sealed[:12], sealed[12:], None)).decode()}}
        return 404, {"errors": []}

    def close(self) -> None:
        self.https.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def vault(lab, authority):
    vault = Vault(authority)
    lab.closers.append(vault.close)
    return vault


def settings(vault_url: str, authority: Authority, token_file) -> dict[str, str]:
    return {
        "POSTERN_KMS_VAULT_ADDRESS": vault_url,
        "POSTERN_KMS_VAULT_MOUNT": "ops/transit",
        "POSTERN_KMS_VAULT_KEY": "postern",
        "POSTERN_KMS_VAULT_TOKEN_FILE": str(token_file),
        "POSTERN_KMS_VAULT_CA_CERTIFICATES": str(authority.ca_file),
    }


def refusal(call, **arguments) -> str:
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_key_material_opens_only_with_the_vaults_help(lab, vault, authority, tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text(f"{TOKEN}\n")
    server = lab.server()
    server.start()
    before = server.client("kms").create_key()["KeyMetadata"]["KeyId"]
    old = server.client("kms").encrypt(KeyId=before, Plaintext=b"from before")["CiphertextBlob"]
    server.stop()

    server.environment.update(settings(vault.url, authority, token_file))
    server.start()
    kms = server.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"a secret", EncryptionContext={"a": "b"})["CiphertextBlob"]
    assert vault.asked == ["encrypt"], "what was made a moment ago is still there"
    server.stop()

    server.start()
    kms = server.client("kms")
    for _ in range(3):
        opened = kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"a": "b"})
        assert (opened["Plaintext"], opened["KeyId"].rpartition("/")[2]) == (b"a secret", key)
    assert vault.asked == ["encrypt", "decrypt"], "one question is enough for a while"
    assert kms.decrypt(CiphertextBlob=old)["Plaintext"] == b"from before", "keys from before go on to work"
    assert refusal(kms.decrypt, CiphertextBlob=sealed, EncryptionContext={"a": "c"}) == "InvalidCiphertextException"
    server.stop()


def test_without_the_vault_keys_are_refused_and_everything_else_goes_on(lab, vault, authority, tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    server = lab.server(settings(vault.url, authority, token_file)).start()
    kms = server.client("kms")
    vault.sealed = True
    assert refusal(kms.create_key) == "DependencyTimeoutException"
    assert server.client("sts").get_caller_identity()["Account"]
    vault.sealed = False
    assert kms.create_key()["KeyMetadata"]["KeyState"] == "Enabled"
    vault.token = "hvs.another"
    assert refusal(kms.create_key) == "DependencyTimeoutException"
    # A renewed token is taken from the file without a restart.
    token_file.write_text(vault.token)
    assert kms.create_key()["KeyMetadata"]["KeyState"] == "Enabled"
    assert "hvs." not in server.program.logged()
    server.stop()


def test_a_vault_that_is_not_there_does_not_keep_the_server_from_starting(lab, authority, tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    server = lab.server(settings(f"https://localhost:{free_port()}", authority, token_file)).start()
    assert refusal(server.client("kms").create_key) == "DependencyTimeoutException"
    server.stop()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"POSTERN_KMS_VAULT_ADDRESS": "http://vault"}, "kms.vault_address"),
        ({"POSTERN_KMS_VAULT_ADDRESS": None}, "kms.vault_address"),
        ({"POSTERN_KMS_VAULT_KEY": None}, "kms.vault_key"),
        ({"POSTERN_KMS_VAULT_KEY": "../sys/seal"}, "kms.vault_key"),
        ({"POSTERN_KMS_VAULT_TOKEN_FILE": None}, "kms.vault_token_file"),
    ],
)
def test_half_a_configuration_is_refused(lab, authority, tmp_path, changes, told):
    values = settings("https://vault:8200", authority, tmp_path / "token") | changes
    values = {name: value for name, value in values.items() if value is not None}
    server = lab.server(values)
    server.start(wait=False)
    assert server.program.wait(20) != 0
    assert told in server.program.logged()
