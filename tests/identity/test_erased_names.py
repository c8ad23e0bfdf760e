"""As what an identifier may have been erased, under which hash it is remembered, which messages name it."""

from dataclasses import replace

import pytest

from identity.erasure import (
    Hashing,
    Mode,
    Named,
    Scrub,
    Tombstone,
    erased_in,
    forms_of,
    keys_in,
    named,
    stays_out,
    told_in,
    written_otherwise,
)
from identity.evidence import hear, sha256_of
from identity.identifiers import Blocked, IdentifierKey
from identity.messages import MessageId, MessageKind, micros
from identity.policy import Normaliser, Policy
from tests.building import after, alias, default_policy, identify, message, track

ANN = "ann@example.com"
HASH = f"email_sha256:{sha256_of(ANN)}"
TYPED, PHONE = "0171 2345678", "+491712345678"


def written(namespace: str, normaliser: Normaliser) -> Policy:
    """The default policy with another normaliser for one namespace."""
    policy = default_policy()
    rules = replace(policy.namespaces[namespace], normaliser=normaliser)
    return replace(policy, namespaces={**policy.namespaces, namespace: rules})


def without(namespace: str) -> Policy:
    policy = default_policy()
    return replace(policy, namespaces={name: each for name, each in policy.namespaces.items() if name != namespace})


# Hashes are stored for ever: what they are today they must be in every version.


@pytest.mark.parametrize(
    ("length", "check", "of_user"),
    [
        (32, "7c05746946c79bc8507837a2584484e6e013196b", "3741926a35278f5690350e908807b6d84602ee75"),
        (64, "d3efdc37e7407c27fa0ee41128c5ecc68c4eb061", "4d71192cb9e6ccac88d99a9011ff1acc40a86232"),
        (65, "f23b724a44761cdf7e1d86767c6f05e29b6647f2", "646150737e82658334ff2ba30a0f85d407d9671d"),
    ],
)
def test_the_hash_of_an_identifier_is_the_same_in_every_version(length: int, check: str, of_user: str) -> None:
    hashing = Hashing(b"k" * length)
    assert (hashing.check, hashing.of_identifier(IdentifierKey("user_id:u1"))) == (check, of_user)


def test_messages_and_names_have_hashes_that_stay_too() -> None:
    hashing = Hashing(b"k" * 32)
    assert hashing.of_message(MessageId("web:m1")) == "6aeed4337d8962b8973adbda4b2e9726a2760b99"
    assert hashing.of_name("account:a") == "8dea247fb5431d50317cacc87840ddc540e4f495"


def test_half_a_letter_that_no_text_can_have_is_hashed_as_well() -> None:
    hashing = Hashing(bytes(32))
    halves = [hashing.of_identifier(IdentifierKey(f"user_id:{half}")) for half in ("\ud800", "\udc00", "?")]
    assert len(set(halves)) == 3


@pytest.mark.parametrize("id_", [f"web:{ANN}:7", f"web:order:{ANN}"])
def test_what_is_called_after_the_erased_keeps_its_source_alone(id_: str) -> None:
    hashing, scrub = Hashing(bytes(32)), Scrub(frozenset({IdentifierKey(f"email:{ANN}")}), default_policy())
    assert hashing.renamed(id_, scrub) == f"web:{hashing.of_message(MessageId(id_))}"
    assert hashing.named(id_, scrub) == f"web:{hashing.of_name(id_)}"


# As what a raw value may have been erased


@pytest.mark.parametrize("normaliser", [Normaliser.PHONE, Normaliser.TEXT])
def test_a_number_without_a_country_may_have_been_erased_with_one_and_without(normaliser: Normaliser) -> None:
    policy = written("phone", normaliser)
    heard = hear(message(MessageKind.IDENTIFY, [("phone", TYPED)], region="DE"), policy)
    (forms,) = forms_of(heard, policy, written_otherwise(policy)).values()
    assert {(f"phone:{PHONE}", "phone"), (f"phone:{TYPED}", "text")} <= forms


def test_two_spellings_of_one_address_may_each_have_been_erased() -> None:
    policy = written("email", Normaliser.EMAIL_FOLDED)
    spelled = [("email", "a.nn@gmail.com"), ("email", "an.n@gmail.com")]
    forms = forms_of(hear(message(MessageKind.IDENTIFY, spelled), policy), policy, written_otherwise(policy))
    keys = {key for key, _ in forms[IdentifierKey("email:ann@gmail.com")]}
    assert {"email:a.nn@gmail.com", "email:an.n@gmail.com", "email:ann@gmail.com"} <= keys


def test_a_value_that_names_nobody_was_erased_as_nothing() -> None:
    policy = default_policy()
    forms = forms_of(hear(identify("u1", email="nobody"), policy), policy, written_otherwise(policy))
    assert forms == {"user_id:u1": {("user_id:u1", "text")}}


def test_who_asks_about_a_value_is_told_its_key_of_today() -> None:
    found = named("email", f" {ANN.upper()} ", default_policy())
    assert isinstance(found, Named)
    assert found.key == f"email:{ANN}"
    assert isinstance(named("email", "nobody", default_policy()), Blocked)


def test_the_hash_of_an_address_may_have_been_written_as_any_text() -> None:
    found = named("email", ANN, default_policy())
    assert isinstance(found, Named)
    assert {(HASH, "sha256"), (HASH, "text")} <= found.forms


def test_where_no_hashes_are_declared_the_hash_of_an_address_is_a_text() -> None:
    found = named("email", ANN, without("email_sha256"))
    assert isinstance(found, Named)
    assert {how for key, how in found.forms if key == HASH} == {"text"}


# Which messages name the erased


def test_a_message_names_what_its_previous_id_may_mean() -> None:
    heard = hear(alias("x1", user="u1"), default_policy())
    assert keys_in(heard) == {"user_id:u1", "user_id:x1", "anonymous_id:x1"}
    stones = {IdentifierKey("anonymous_id:x1"): Tombstone("", Mode.DELETE, micros(after(10)))}
    assert erased_in(heard, stones) == stones.keys()


def test_a_message_that_names_nobody_is_about_nobody_erased() -> None:
    heard = hear(track(), default_policy())
    assert not stays_out(heard, {IdentifierKey("user_id:u1")})


def test_what_an_address_does_on_an_erased_device_is_about_the_address() -> None:
    heard = hear(track("a1", email=ANN), default_policy())
    assert not stays_out(heard, {IdentifierKey("anonymous_id:a1")})
    assert stays_out(heard, {IdentifierKey(f"email:{ANN}")})


def test_in_what_cannot_be_read_five_digits_may_be_a_number() -> None:
    assert "phone:+12345" in told_in("12345")
    assert "phone:+1234" not in told_in("1234")


def test_in_what_cannot_be_read_an_address_may_be_its_plain_self_or_its_hash() -> None:
    assert {f"email:{ANN}", HASH} <= told_in(f"of {ANN.upper()}")
