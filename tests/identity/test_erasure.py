"""What is taken out of the records of others, and which messages stay out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from identity.erasure import (
    ERASED,
    Hashing,
    Mode,
    Scrub,
    Tombstone,
    also_known_as,
    erased_in,
    forms_of,
    named,
    stays_out,
    told_in,
    written_otherwise,
)
from identity.evidence import hear, sha256_of
from identity.identifiers import Blocked, IdentifierKey
from identity.messages import Json, Message, MessageId, micros
from identity.policy import Normaliser
from identity.stripping import stripped
from tests.building import after, default_policy, identify, track

ANN = "ann@example.com"
PHONE = "+491712345678"


def scrub(*keys: str, region: str | None = None) -> Scrub:
    return Scrub(frozenset(map(IdentifierKey, keys)), default_policy(), region)


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ({"email": " Ann@Example.COM ", "city": "Oslo"}, {"city": "Oslo"}),
        ({"to": [ANN, "bob@example.com"]}, {"to": ["bob@example.com"]}),
        ({"note": f"mail {ANN.upper()}, soon"}, {"note": f"mail {ERASED}, soon"}),
        ({"deep": {"deeper": [{"who": ANN, "n": 1}]}}, {"deep": {"deeper": [{"n": 1}]}}),
        ({"tel": "0171 2345678", "n": None}, {"n": None}),
        ({f"sent:{ANN}": True}, {f"sent:{ERASED}": True}),
        (
            {"other": "joann@example.com", "count": 42, "yes": True},
            {"other": "joann@example.com", "count": 42, "yes": True},
        ),
    ],
)
def test_whole_values_go_and_texts_keep_the_rest(value: Json, left: Json) -> None:
    assert scrub(f"email:{ANN}", f"phone:{PHONE}", region="DE").json(value) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("lead_ann@example.com_2024", f"lead_{ERASED}_2024"),
        ("?email=ann%40example.com&x=1", f"?email={ERASED}&x=1"),
        ("?next=%2F%3Femail%3DAnn%40Example.com", f"?next=%2F%3Femail%3D{ERASED}"),
        ("to Strasse@x.example or STRASSE@x.example, or straße@x.example", f"to {ERASED} or {ERASED}, or {ERASED}"),
        ("of Zoe\u0308-77 and zo%C3%AB-77", f"of {ERASED} and {ERASED}"),
        ("joann@example.com, ann@example.community", "joann@example.com, ann@example.community"),
    ],
)
def test_a_value_is_found_however_a_text_spells_it(text: str, left: str) -> None:
    assert scrub(f"email:{ANN}", "email:strasse@x.example", "user_id:Zoë-77").text(text) == left


def test_a_message_id_that_tells_a_value_is_its_source_and_a_hash() -> None:
    found = scrub(f"email:{ANN}")
    hashing = Hashing(bytes(32))
    assert hashing.renamed("web:m1", found) == "web:m1"
    after = hashing.renamed(f"web:signup-{ANN}", found)
    assert after == f"web:{hashing.of_message(MessageId(f'web:signup-{ANN}'))}"
    assert hashing.renamed(after, found) == after


@pytest.mark.parametrize("key", [f"account:{ANN}", "web:order-Ann%40Example.com-7", "account:0171 2345678"])
def test_an_account_or_order_whose_key_tells_a_value_has_one_pseudonym(key: str) -> None:
    found, hashing = scrub(f"email:{ANN}", f"phone:{PHONE}", region="DE"), Hashing(bytes(32))
    now = hashing.named(key, found)
    assert now == hashing.pseudonym(key) == f"{key.partition(':')[0]}:{hashing.of_name(key)}"
    assert hashing.named(now, found) == now


def test_an_account_that_is_the_domain_of_an_address_keeps_its_name() -> None:
    assert Hashing(bytes(32)).named("account:example.com", scrub(f"email:{ANN}")) == "account:example.com"


def test_in_what_cannot_be_read_a_word_is_whatever_it_could_be() -> None:
    found = told_in('{"userId": "Zoë-77", "url": "https://s.example/?mail=Ann%40example.com", "tel": "+49 171", 2}')
    assert {"user_id:Zoë-77", f"email:{ANN}"} <= found
    assert f"phone:{PHONE}" in told_in(f"tel,{PHONE}")
    assert f"email_sha256:{sha256_of(ANN)}" in told_in(f"mail={ANN}")
    assert f"email_sha256:{'a' * 64}" in told_in(f"{'A' * 64};1")


def test_a_number_is_a_value_only_when_it_is_long() -> None:
    assert scrub("user_id:42", "user_id:1234567").json({"a": 42, "b": 1234567}) == {"a": 42}


@pytest.mark.parametrize("value", ["1234", 1234, True, False, None, 12345.0, ["12345"], {"a": "12345"}])
def test_what_is_no_text_and_no_long_number_is_no_value(value: Json) -> None:
    assert scrub("user_id:12345", "user_id:false").is_value(value) is False


@pytest.mark.parametrize("value", ["12345", 12345, "FALSE"])
def test_a_value_by_itself_leaves_nothing(value: Json) -> None:
    assert scrub("user_id:12345", "user_id:false").json(value) == ERASED


@pytest.mark.parametrize("value", [True, False, None, 1234, 1.5])
def test_any_other_value_by_itself_is_left(value: Json) -> None:
    assert scrub("user_id:12345", "user_id:false").json(value) is value


def test_of_a_value_with_a_colon_the_whole_is_looked_for() -> None:
    assert scrub("user_id:urn:ann7").text("urn:ann7 and ann7") == f"{ERASED} and ann7"


def test_in_what_could_not_be_read_values_of_five_letters_are_looked_for() -> None:
    found = scrub("user_id:anne", "user_id:annie", region="DE").written()
    assert found == scrub("user_id:annie", region="DE")


@pytest.mark.parametrize(
    ("row", "of_erased"),
    [
        (["phone", "0171 2345678", "phone", 1], True),
        (["phone", PHONE], True),
        (["user_id", PHONE], False),
        (["phone"], False),
        (["phone", 1712345678], False),
        ("phone", False),
        (None, False),
    ],
)
def test_a_stored_sighting_is_known_by_its_namespace_and_value(row: Json, of_erased: bool) -> None:
    assert scrub(f"phone:{PHONE}", region="DE").sighting(row) is of_erased


def test_only_values_that_cannot_be_mistaken_are_looked_for_everywhere() -> None:
    keys = (
        "email:a@b.example",
        "user_id:jones",
        "user_id:42",
        "user_id:Zoë77",
        "user_id:x@y.example",
        "anonymous_id:a1-b2-c3",
    )
    found = scrub(*keys).telling().keys
    assert found == {"email:a@b.example", "user_id:Zoë77", "user_id:x@y.example"}


@given(some.text(min_size=1, max_size=20), some.text(max_size=20), some.text(max_size=20))
def test_no_text_keeps_a_value_that_stands_alone(value: str, before: str, behind: str) -> None:
    key = IdentifierKey(f"user_id:{value}")
    text = scrub(key).text(f"{before} {value} {behind}")
    assert scrub(key).pattern.sub("", text) == text


ERASED_AT = Tombstone("", Mode.DELETE, micros(after(10)))
SUPPRESSED = Tombstone("", Mode.SUPPRESS_AND_DELETE, micros(after(10)))


@pytest.mark.parametrize(
    ("message", "stone", "out"),
    [
        (identify("u1", at=10), ERASED_AT, True),
        (identify("u1", at=11), ERASED_AT, False),
        (identify("u1", at=None), ERASED_AT, False),
        (identify("u1", at=11), SUPPRESSED, True),
        (track("a9", user="u1", at=1), ERASED_AT, True),
    ],
)
def test_what_is_about_the_erased_stays_out_by_its_own_time(message: Message, stone: Tombstone, out: bool) -> None:
    heard = hear(message, default_policy())
    assert stays_out(heard, erased_in(heard, {IdentifierKey("user_id:u1"): stone})) is out


def test_beside_somebody_else_the_erased_is_dropped() -> None:
    heard = hear(identify("u2", email=ANN, traits={"email": ANN, "name": "Bob"}), default_policy())
    erased = frozenset({IdentifierKey(f"email:{ANN}")})
    assert not stays_out(heard, erased)
    left = stripped(heard.message, erased, default_policy())
    assert ([each.value for each in left.sightings], left.traits) == (["u2"], {"name": "Bob"})


def test_an_erased_device_does_not_keep_out_who_uses_it() -> None:
    heard = hear(track("a1", user="u2"), default_policy())
    assert not stays_out(heard, {IdentifierKey("anonymous_id:a1")})
    alone = hear(track("a1"), default_policy())
    assert stays_out(alone, {IdentifierKey("anonymous_id:a1")})


def test_hashes_need_the_key_and_tell_what_they_are_of() -> None:
    one, other = Hashing(bytes(32)), Hashing(bytes(31) + b"1")
    key = IdentifierKey("user_id:u1")
    assert one.of_identifier(key) != other.of_identifier(key)
    assert one.check != other.check
    assert len({one.of_identifier(key), one.of_message(key), one.check}) == 3  # type: ignore[arg-type]
    assert "key" not in repr(one)
    assert Hashing(bytes(100)).check != Hashing(bytes(64)).check


def test_an_address_is_also_known_by_its_hash() -> None:
    assert [key.partition(":")[0] for key in also_known_as(IdentifierKey(f"email:{ANN}"))] == ["email", "email_sha256"]
    assert also_known_as(IdentifierKey("user_id:u1")) == ("user_id:u1",)


def test_an_address_may_have_been_erased_by_its_hash() -> None:
    policy = default_policy()
    heard = hear(identify("u1", email=f" {ANN.upper()} "), policy)
    forms = forms_of(heard, policy, written_otherwise(policy))
    assert (f"email_sha256:{sha256_of(ANN)}", "sha256") in forms[IdentifierKey(f"email:{ANN}")]


@pytest.mark.parametrize(
    ("normaliser", "of_plain", "of_folded"), [(Normaliser.EMAIL, True, False), (Normaliser.EMAIL_FOLDED, True, True)]
)
def test_an_address_has_the_hash_of_another_only_where_the_policy_makes_them_one(
    normaliser: Normaliser, of_plain: bool, of_folded: bool
) -> None:
    rules = replace(default_policy().namespaces["email"], normaliser=normaliser)
    policy = replace(default_policy(), namespaces={**default_policy().namespaces, "email": rules})
    asked = named("email", "A.nn@gmail.com", policy)
    assert not isinstance(asked, Blocked)
    keys = {key for key, _ in asked.forms}
    hashes = [f"email_sha256:{sha256_of(value)}" for value in ("a.nn@gmail.com", "ann@gmail.com")]
    assert [each in keys for each in hashes] == [of_plain, of_folded]
    assert {"email:a.nn@gmail.com", "email:ann@gmail.com"} <= keys
