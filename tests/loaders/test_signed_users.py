"""What a signature of a user id vouches for, and what it does not."""

from datetime import timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import Authority, Json, Message, SourceName
from loaders.segment_http import parse_batch
from loaders.signed_users import signed, vouched_in
from loaders.sources import Source
from tests.loaders.segment import NOW, body, codes, item

SECRET, OLD = "s" * 32, "o" * 32
WEB = Source(name=SourceName("web"), user_secrets=(SECRET, OLD))
STRICT = Source(name=SourceName("web"), user_secrets=(SECRET,), requires_signature=True)
KNOWN = Authority.VERIFIED, Authority.CLAIMED, Authority.UNVERIFIED


def token(sub: str = "u1", secret: str = SECRET, **claims: Json) -> str:
    return jwt.encode({"sub": sub, **claims}, secret, "HS256")


def sent(source: Source, signature: Json = None, kind: str = "identify", **fields: Json) -> Message:
    context: dict[str, Json] = {"traits": {"email": "Ann@x.com"}}
    context |= {"userSignature": signature} if signature is not None else {}
    (read,) = parse_batch(body(item(kind, **{"userId": "u1", "context": context, **fields})), source, NOW)
    assert isinstance(read, Message)
    return read


def believed(answer: Message) -> dict[str, Authority]:
    return {each.namespace: each.authority for each in answer.sightings}


def test_a_signed_user_id_is_verified_with_the_device_and_what_was_typed_stays_a_claim() -> None:
    answer = sent(WEB, signed("u1", SECRET))
    assert believed(answer) == {"user_id": KNOWN[0], "anonymous_id": KNOWN[0], "email": KNOWN[1]}
    assert (answer.authority, codes(answer)) == (Authority.VERIFIED, [])


def test_without_a_signature_everything_is_claimed() -> None:
    assert set(believed(sent(WEB)).values()) == {Authority.CLAIMED}


def test_a_source_that_requires_signatures_believes_unsigned_people_nothing_and_devices_as_ever() -> None:
    assert believed(sent(STRICT)) == {"user_id": KNOWN[2], "anonymous_id": KNOWN[1], "email": KNOWN[2]}
    assert sent(STRICT).authority is Authority.UNVERIFIED
    assert believed(sent(STRICT, signed("u1", SECRET)))["email"] is Authority.UNVERIFIED


def test_a_token_vouches_for_the_contact_points_it_carries() -> None:
    assert set(believed(sent(STRICT, token(email="ann@X.com"))).values()) == {Authority.VERIFIED}
    assert believed(sent(STRICT, token(email="eve@x.com")))["email"] is Authority.UNVERIFIED


def test_a_secret_key_needs_no_signature() -> None:
    server = Source(name=SourceName("server"), authority=Authority.VERIFIED, requires_signature=True)
    assert set(believed(sent(server)).values()) == {Authority.VERIFIED}


@pytest.mark.parametrize(
    "wrong",
    [signed("u2", SECRET), signed("u1", "x" * 32), "", "...", 3, {}, "é" * 64, "f" * 5_000, token("u2"),
     token(secret="x" * 32), token() + "x", jwt.encode({"sub": "u1"}, None, "none"),
     token(exp=(NOW - timedelta(minutes=2)).timestamp()), token(nbf=(NOW + timedelta(minutes=2)).timestamp()),
     token(exp="soon")],
)  # fmt: skip
def test_a_wrong_signature_counts_as_none_with_a_warning(wrong: Json) -> None:
    assert believed(sent(WEB, wrong)) == believed(sent(WEB))
    assert believed(sent(STRICT, wrong)) == believed(sent(STRICT))
    assert codes(sent(WEB, wrong)) == [("invalid_signature", "context.userSignature")]


def test_a_secret_can_be_changed_while_pages_still_use_the_one_before() -> None:
    for signature in (signed("u1", OLD), signed("u1", SECRET).upper(), token(secret=OLD)):
        assert sent(WEB, signature).authority is Authority.VERIFIED


def test_a_token_holds_for_its_time() -> None:
    assert sent(WEB, token(exp=(NOW + timedelta(minutes=2)).timestamp())).authority is Authority.VERIFIED


def test_no_signature_vouches_for_another_persons_id_or_an_organisation() -> None:
    for kind in ("alias", "group"):
        more: dict[str, Json] = {"previousId": "u2", "groupId": "acme"}
        assert sent(WEB, signed("u1", SECRET), kind, **more).authority is Authority.CLAIMED
        assert sent(STRICT, signed("u1", SECRET), kind, **more).authority is Authority.UNVERIFIED


def test_a_signature_is_not_kept_and_makes_no_other_message() -> None:
    answer = sent(WEB, signed("u1", SECRET), messageId="m1")
    assert "userSignature" not in answer.context
    assert answer.digest == sent(WEB, messageId="m1").digest


def test_nobody_who_is_not_named_needs_a_signature() -> None:
    answer = sent(STRICT, signed("u1", SECRET), "track", userId=None)
    assert (believed(answer)["anonymous_id"], codes(answer)) == (Authority.CLAIMED, [])


@given(st.text(), st.text(max_size=80))
def test_any_text_as_a_signature_vouches_for_nothing(user: str, signature: str) -> None:
    assert vouched_in(signature, user, (SECRET,), NOW) == frozenset()
