"""From what a sender typed to a key, or to the reason why it names nobody (cases T31 to T43)."""

from dataclasses import replace

import pytest

from identity.identifiers import Blocked, Identifier, IdentifierKey, namespace_of, normalise, role_of
from identity.policy import Normaliser, Role
from tests.building import default_policy


def key_of(namespace: str, raw: str, region: str | None = None) -> str:
    read = normalise(namespace, raw, default_policy(), region)
    assert isinstance(read, Identifier), read
    return read.key


def why_blocked(namespace: str, raw: str, region: str | None = None) -> str:
    read = normalise(namespace, raw, default_policy(), region)
    assert isinstance(read, Blocked), read
    return read.code


@pytest.mark.parametrize(
    "raw",
    [
        "undefined",
        "null",
        "NaN",
        "None",
        "0",
        "-1",
        "00000000-0000-0000-0000-000000000000",
        "anonymous",
        "guest",
        "[object Object]",
        "true",
        "id",
        "email",
        "  NULL  ",
        "nu\u200bll",
    ],
)
def test_t31_a_placeholder_names_nobody(raw: str) -> None:
    assert why_blocked("user_id", raw) == "blocked"


@pytest.mark.parametrize("raw", ["", "  ", "\u200b", "\t\n"])
def test_t35_an_empty_value_names_nobody(raw: str) -> None:
    assert why_blocked("user_id", raw) == "empty"


@pytest.mark.parametrize("raw", ["test@test.com", "TEST@test.co.uk"])
def test_t32_test_addresses_are_blocked_by_pattern(raw: str) -> None:
    assert why_blocked("email", raw) == "blocked"


def test_t32_addresses_of_guides_stay_allowed() -> None:
    assert key_of("email", "jane@example.com") == "email:jane@example.com"


def test_t36_case_and_space_of_an_address_do_not_matter() -> None:
    assert key_of("email", " Ann@X.COM ") == key_of("email", "ann@x.com") == "email:ann@x.com"


def test_t37_neither_dots_nor_plus_tags_are_folded() -> None:
    assert key_of("email", "a.nn+news@gmail.com") == "email:a.nn+news@gmail.com"


def test_t38_a_phone_number_takes_its_country_from_the_source() -> None:
    assert key_of("phone", "0171 2345678", "DE") == key_of("phone", "+491712345678") == "phone:+491712345678"


@pytest.mark.parametrize(("raw", "region"), [("12345", "DE"), ("0171 2345678", None), ("call me", "DE")])
def test_t38_what_is_no_phone_number_is_no_identifier(raw: str, region: str | None) -> None:
    assert why_blocked("phone", raw, region) == "invalid"


def test_t39_an_international_domain_is_its_punycode() -> None:
    assert key_of("email", "ann@bücher.de") == key_of("email", "ann@xn--bcher-kva.de") == "email:ann@xn--bcher-kva.de"


@pytest.mark.parametrize("raw", ["ann", "ann@", "@x.com", "a b@x.com", "ann@x..com"])
def test_what_is_no_address_is_no_identifier(raw: str) -> None:
    assert why_blocked("email", raw) == "invalid"


def test_an_address_inside_a_company_is_an_address() -> None:
    assert key_of("email", "ann@mail.local") == "email:ann@mail.local"


def test_t40_composed_and_decomposed_letters_are_one() -> None:
    assert key_of("user_id", "cafe\u0301") == key_of("user_id", "caf\u00e9")


def test_t41_the_case_of_a_user_id_matters() -> None:
    assert key_of("user_id", "User-1") != key_of("user_id", "user-1")


@pytest.mark.parametrize("hidden", ["\u200b", "\u200e", "\u202e", "\ufeff", "\x00", "\x7f"])
def test_t43_invisible_characters_go(hidden: str) -> None:
    assert key_of("user_id", f"u{hidden}1") == "user_id:u1"


def test_t43_a_value_of_512_bytes_is_kept_and_a_longer_one_blocked() -> None:
    assert key_of("user_id", "x" * 512) == "user_id:" + "x" * 512
    assert why_blocked("user_id", "x" * 513) == "too_long"
    assert why_blocked("user_id", "é" * 257) == "too_long"


def test_a_hash_is_64_hexadecimal_digits_in_lower_case() -> None:
    assert key_of("email_sha256", "AB" * 32) == "email_sha256:" + "ab" * 32
    assert why_blocked("email_sha256", "ab" * 31) == "invalid"


@pytest.mark.parametrize(
    ("namespace", "raw", "sentence"),
    [
        ("user_id", " ", "the value is empty"),
        ("user_id", "null", "the value is a placeholder that many people share"),
        ("user_id", "x" * 513, "the value is longer than 512 bytes"),
        ("email_sha256", "ab", "not 64 hexadecimal digits"),
        ("phone", "12345", "not a valid phone number"),
    ],
)
def test_what_names_nobody_is_told_why(namespace: str, raw: str, sentence: str) -> None:
    read = normalise(namespace, raw, default_policy(), "DE")
    assert isinstance(read, Blocked)
    assert read.sentence == sentence


@pytest.mark.parametrize(("raw", "box"), [("a.b+c+d@gmail.com", "ab@gmail.com"), ("+a@x.com", "+a@x.com")])
def test_t37_a_mailbox_ends_at_its_first_plus_unless_it_begins_with_it(raw: str, box: str) -> None:
    policy = default_policy()
    folded = replace(policy.namespaces["email"], normaliser=Normaliser.EMAIL_FOLDED)
    read = normalise("email", raw, replace(policy, namespaces={**policy.namespaces, "email": folded}))
    assert read == Identifier("email", box)


def test_a_key_may_hold_colons_after_its_namespace() -> None:
    key = IdentifierKey(key_of("crm.contact", "a:b:c"))
    assert (key, namespace_of(key)) == ("crm.contact:a:b:c", "crm.contact")


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("user_id:u", Role.CONTACT),
        ("crm.contact:c", Role.CONTACT),
        ("email:e@x.com", Role.CONTACT_POINT),
        ("phone:+49", Role.CONTACT_POINT),
        ("anonymous_id:a", Role.DEVICE),
        ("push_token:p", Role.DEVICE),
    ],
)
def test_the_namespace_says_what_an_identifier_names(key: str, role: Role) -> None:
    assert role_of(IdentifierKey(key), default_policy()) is role


@pytest.mark.parametrize("address", ["\u0430nn@x.com", "ann@p\u0430ypal.com", "ann@\u03b1lpha.com"])
def test_an_address_whose_words_mix_alphabets_that_look_alike_names_nobody(address: str) -> None:
    found = normalise("email", address, default_policy())
    assert isinstance(found, Blocked)
    assert found.code == "invalid"


@pytest.mark.parametrize(
    "address", ["\u0430\u043d\u043d\u0430@x.com", "ann@b\u00fccher.de", "\u0430\u043d\u043d\u0430.lee@x.com"]
)
def test_an_address_in_one_alphabet_a_word_names_somebody(address: str) -> None:
    assert not isinstance(normalise("email", address, default_policy()), Blocked)
