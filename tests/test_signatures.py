"""Who is calling: signatures made by botocore, then tampered with."""

import datetime
import re

import botocore.credentials
import pytest
from harness.requests import Request, credentials, presign, sign, ssm_call, sts_call

IDENTITY = "/?Action=GetCallerIdentity&Version=2011-06-15"


def in_minutes(minutes: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)


def call() -> Request:
    return ssm_call("ListDocuments", {"MaxResults": 1})


def keys(access_key_id=None, secret=None, token=None, server=None):
    real = credentials(server)
    return botocore.credentials.Credentials(access_key_id or real.access_key, secret or real.secret_key, token)


def test_a_good_signature_is_accepted(server):
    answer = sign(call(), server).send(server)
    assert answer.status == 200, answer
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.headers["x-amzn-requestid"])


def test_a_path_with_escapes_is_encoded_twice(server):
    """The name of a session may hold what clients escape in its data channel's path."""
    path = "/v1/data-channel/ops%40example.com-0a1b2c3d4e5f60718"
    request = Request({"Content-Type": "application/json"}, b"{}", path=path)
    answer = sign(request, server, "ssmmessages").send(server)
    assert b"AccessDeniedException" in answer.body, "it is about the session, not about the signature"
    once = Request({"Content-Type": "application/json"}, b"{}", path=path.replace("%40", "@"))
    once = sign(once, server, "ssmmessages")
    once.path = path
    assert b"InvalidSignatureException" in once.send(server).body


@pytest.mark.parametrize("minutes", [-4, 4])
def test_a_clock_that_is_a_little_wrong_is_accepted(server, minutes):
    assert sign(call(), server, at=in_minutes(minutes)).send(server).status == 200


def without_authorization(request, server, service):
    return request


def changed_body(request, server, service):
    signed = sign(request, server, service)
    signed.body += b" "
    return signed


def changed_header(request, server, service):
    signed = sign(request, server, service)
    date = signed.headers["X-Amz-Date"]
    signed.headers["X-Amz-Date"] = f"{date[:-2]}{(int(date[-2]) + 1) % 10}Z"
    return signed


def changed_path(request, server, service):
    signed = sign(request, server, service)
    signed.path = "/?extra=1"
    return signed


def changed_signature(request, server, service):
    signed = sign(request, server, service)
    authorization = signed.headers["Authorization"]
    last = authorization[-1]
    signed.headers["Authorization"] = authorization[:-1] + ("0" if last != "0" else "1")
    return signed


def wrong_secret(request, server, service):
    return sign(request, server, service, keys=keys(secret="x" * 40, server=server))


def unknown_key(request, server, service):
    return sign(request, server, service, keys=keys("AKIAIOSFODNN7EXAMPLE", server=server))


def needless_token(request, server, service):
    return sign(request, server, service, keys=keys(token="made up", server=server))


def old(request, server, service):
    return sign(request, server, service, at=in_minutes(-6))


def future(request, server, service):
    return sign(request, server, service, at=in_minutes(6))


def other_service(request, server, service):
    return sign(request, server, "iam")


def other_region(request, server, service):
    return sign(request, server, service, region="eu-west-9")


def scope_of_another_day(request, server, service):
    signed = sign(request, server, service)
    signed.headers["Authorization"] = re.sub(r"/\d{8}/", "/20200101/", signed.headers["Authorization"])
    return signed


def half_an_authorization(request, server, service):
    signed = sign(request, server, service)
    signed.headers["Authorization"] = signed.headers["Authorization"].partition(", Signature")[0]
    return signed


def other_algorithm(request, server, service):
    signed = sign(request, server, service)
    signed.headers["Authorization"] = signed.headers["Authorization"].replace("HMAC", "ECDSA-P256")
    return signed


def host_not_signed(request, server, service):
    signed = sign(request, server, service)
    signed.headers["Authorization"] = signed.headers["Authorization"].replace("host;", "")
    return signed


def unsigned_amz_header(request, server, service):
    signed = sign(request, server, service)
    signed.headers["X-Amz-Added"] = "later"
    return signed


REFUSALS = [
    (without_authorization, "MissingAuthenticationTokenException", "MissingAuthenticationToken"),
    (changed_body, "InvalidSignatureException", "SignatureDoesNotMatch"),
    (changed_path, "InvalidSignatureException", "SignatureDoesNotMatch"),
    (changed_header, "InvalidSignatureException", "SignatureDoesNotMatch"),
    (changed_signature, "InvalidSignatureException", "SignatureDoesNotMatch"),
    (wrong_secret, "InvalidSignatureException", "SignatureDoesNotMatch"),
    (unknown_key, "UnrecognizedClientException", "InvalidClientTokenId"),
    (needless_token, "UnrecognizedClientException", "InvalidClientTokenId"),
    (old, "InvalidSignatureException", "SignatureDoesNotMatch"),
    (future, "InvalidSignatureException", "SignatureDoesNotMatch"),
    (other_region, "InvalidSignatureException", None),
    (other_service, "InvalidSignatureException", None),
    (scope_of_another_day, "InvalidSignatureException", "SignatureDoesNotMatch"),
    (half_an_authorization, "IncompleteSignatureException", "IncompleteSignature"),
    (other_algorithm, "IncompleteSignatureException InvalidSignatureException", "IncompleteSignature SignatureDoesNotMatch"),
    (host_not_signed, "InvalidSignatureException IncompleteSignatureException", "SignatureDoesNotMatch IncompleteSignature"),
    (unsigned_amz_header, "InvalidSignatureException", "SignatureDoesNotMatch"),
]


@pytest.mark.parametrize("spoil, json_code, query_code", REFUSALS, ids=lambda each: getattr(each, "__name__", ""))
def test_each_refusal_has_its_code_in_json(server, spoil, json_code, query_code):
    answer = spoil(call(), server, "ssm").send(server)
    assert answer.status == 400, answer
    assert answer.code in json_code.split(), answer
    assert answer.headers["date"]


@pytest.mark.parametrize(
    "spoil, json_code, query_code", [row for row in REFUSALS if row[2]], ids=lambda each: getattr(each, "__name__", "")
)
def test_each_refusal_has_its_code_in_xml(server, spoil, json_code, query_code):
    answer = spoil(sts_call(), server, "sts").send(server)
    assert answer.code in query_code.split(), answer
    assert answer.status == (400 if answer.code.startswith("Incomplete") else 403)


def test_a_skewed_clock_is_told_how_far_it_is_off(server):
    answer = sign(call(), server, at=in_minutes(-60)).send(server)
    message = answer.json().get("message") or answer.json().get("Message")
    assert message.startswith("Signature expired: ")
    assert "is now earlier than" in message


def test_a_presigned_call_is_accepted_until_it_expires(server):
    assert presign(server, IDENTITY, "sts").send(server).status == 200
    expired = presign(server, IDENTITY, "sts", at=in_minutes(-2), expires_s=60).send(server)
    assert expired.status == 403, expired
    still_good = presign(server, IDENTITY, "sts", at=in_minutes(-10), expires_s=3600).send(server)
    assert still_good.status == 200, still_good


def test_a_presigned_call_cannot_be_changed(server):
    signed = presign(server, IDENTITY, "sts")
    signed.path = signed.path.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")
    answer = signed.send(server)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


def test_a_presigned_call_from_the_future_is_refused(server):
    assert presign(server, IDENTITY, "sts", at=in_minutes(30)).send(server).status == 403


def test_header_and_query_at_once_are_refused(server):
    signed = presign(server, IDENTITY, "sts")
    signed.headers = sign(Request(method="GET", path=IDENTITY), server, "sts").headers
    assert signed.send(server).status in (400, 403)


def test_unknown_operations_are_refused_by_name(server):
    for target in ["AmazonSSM.MakeCoffee", "AmazonSSM.", "Nonsense.ListDocuments", "AmazonSSM"]:
        request = call()
        request.headers["X-Amz-Target"] = target
        answer = sign(request, server).send(server)
        assert (answer.status, answer.code) == (400, "UnknownOperationException"), target


def test_an_unknown_sts_action_is_invalid(server):
    request = sts_call()
    request.body = b"Action=MakeCoffee&Version=2011-06-15"
    answer = sign(request, server, "sts").send(server)
    assert (answer.status, answer.code) == (400, "InvalidAction")


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"MaxResults": "many"}', b"\xff\xfe", b""])
def test_a_body_that_cannot_be_read(server, body):
    request = call()
    request.body = body
    answer = sign(request, server).send(server)
    if body == b"":
        assert answer.status == 200 or answer.code == "SerializationException", answer
    else:
        assert (answer.status, answer.code) == (400, "SerializationException"), answer
