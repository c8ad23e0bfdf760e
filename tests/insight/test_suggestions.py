"""Suggestions: what addresses fold to, on which ground two may be one, and where nothing is suggested."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.evidence import ActKind
from identity.identifiers import IdentifierKey, ProfileId
from identity.stitching import Standing, standing_of
from insight.suggestions import (
    Ground,
    MergeRules,
    Organisation,
    Side,
    affiliation,
    comparable_name,
    folded,
    mail_domain,
    same_person,
    sentence_of,
)
from tests.building import act

RULES = MergeRules(frozenset({"user_id"}), frozenset({"user_id", "email"}), 10)
NOBODY = Standing()


def side(
    name: str,
    *,
    emails: str = "",
    points: str = "",
    devices: str = "",
    unique: str = "",
    called: str | None = None,
    decided: str = "",
    size: int = 1,
    accounts: str = "",
    minted_at: int = 0,
) -> Side:
    """A person; lists of keys are words."""
    return Side(
        profile=ProfileId(name),
        anchor=IdentifierKey(f"email:{name}@x.com"),
        minted_at=minted_at,
        name=called,
        size=size,
        emails={folded(each): IdentifierKey(f"email:{each}") for each in emails.split()},
        domains={each.partition("@")[2]: IdentifierKey(f"email:{each}") for each in emails.split()},
        points=frozenset(map(IdentifierKey, points.split())),
        devices=frozenset(map(IdentifierKey, devices.split())),
        unique=frozenset(map(IdentifierKey, unique.split())),
        decided=frozenset(map(IdentifierKey, decided.split())),
        accounts=frozenset(accounts.split()),
    )


FOLDS = [
    ("a.nn+news@gmail.com", "ann@gmail.com"),
    ("ann@googlemail.com", "ann@gmail.com"),
    ("a.nn+news@acme.com", "a.nn@acme.com"),
    ("a+b+c@acme.com", "a@acme.com"),
    ("+tag@acme.com", "+tag@acme.com"),
    ("ann@acme.com", "ann@acme.com"),
]


@pytest.mark.parametrize(("address", "folds_to"), FOLDS)
def test_tags_mean_nothing_and_at_gmail_neither_do_dots(address: str, folds_to: str) -> None:
    assert folded(address) == folds_to == folded(folds_to)


HOSTS = [
    ("https://www.Acme.com/de?x=1", "acme.com"),
    ("acme.com:8080", "acme.com"),
    (" ACME.co.uk ", "acme.co.uk"),
    ("acme", None),
    ("ann@acme.com", None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("said", "domain"), HOSTS)
def test_a_domain_is_read_from_what_was_said_of_an_account(said: str | None, domain: str | None) -> None:
    assert mail_domain(said) == domain


def test_the_strongest_ground_counts_and_says_what_they_have_in_common() -> None:
    one = side("a", emails="ann+x@acme.com", points="phone:1", devices="device_id:d", called="ann")
    other = side("b", emails="ann@acme.com", points="phone:1", devices="device_id:d", called="ann")
    found = same_person(one, other, NOBODY, RULES)
    assert found is not None
    assert (found.ground, found.score, found.a, found.b) == (
        Ground.FOLDED_EMAIL,
        0.9,
        "email:ann+x@acme.com",
        "email:ann@acme.com",
    )
    assert "ann@acme.com" in sentence_of(found)


def test_a_shared_phone_is_a_weak_ground_without_one_name() -> None:
    names = {"a": "ann", "b": "ann", "c": "bob", "d": None}
    named = [side(each, points="phone:1", called=called) for each, called in names.items()]
    found = [same_person(named[0], each, NOBODY, RULES) for each in named]
    weak = (Ground.SHARED_CONTACT_POINT_ONLY, 0.3)
    assert [each and (each.ground, each.score) for each in found] == [
        None,
        (Ground.SHARED_CONTACT_POINT, 0.7),
        weak,
        weak,
    ]


def test_a_shared_device_comes_before_a_shared_phone_alone() -> None:
    one, other = (side(each, points="phone:1", devices="device_id:d") for each in "ab")
    found = same_person(one, other, NOBODY, RULES)
    assert found is not None
    assert found.ground is Ground.SHARED_DEVICE


def test_two_values_of_a_unique_namespace_need_an_override_and_that_of_the_older_profile_stays() -> None:
    young = side("a", points="phone:1", devices="d", unique="user_id:1", minted_at=9)
    old = side("b", points="phone:1", devices="d", unique="user_id:2", minted_at=3)
    found = same_person(young, old, NOBODY, RULES)
    assert found is not None
    assert (found.ground, found.values) == (Ground.SHARED_CONTACT_POINT_ONLY, (("user_id:1", "user_id:2"),))
    assert (found.leaving, found.staying) == ("email:a@x.com", "email:b@x.com")
    assert sentence_of(found).endswith("Accepting it needs an override: user_id:2 would replace user_id:1.")


def test_people_who_met_on_a_shared_device_alone_are_suggested() -> None:
    found = same_person(side("a", devices="device_id:d"), side("b", devices="device_id:d"), NOBODY, RULES)
    assert found is not None
    assert (found.ground, found.over, found.score) == (Ground.SHARED_DEVICE, "device_id:d", 0.5)


APART = standing_of([act(ActKind.DIFFERENT, "email:p", "email:q", at=1)])
REFUSED = [
    (side("a", devices="d", unique="user_id:1"), side("b", devices="d", unique="user_id:2"), NOBODY),
    (side("a", devices="d", size=6), side("b", devices="d", size=5), NOBODY),
    (side("a", points="p", size=6, unique="user_id:1"), side("b", points="p", size=5, unique="user_id:2"), NOBODY),
    (side("a", devices="d", decided="email:p"), side("b", devices="d", decided="email:q"), APART),
    (side("a", points="p", decided="email:q"), side("b", points="p", decided="email:p"), APART),
]


@pytest.mark.parametrize(("one", "other", "standing"), REFUSED)
def test_what_a_merge_would_refuse_is_not_suggested(one: Side, other: Side, standing: Standing) -> None:
    assert same_person(one, other, standing, RULES) is None


def test_a_value_that_replaced_another_is_one_value_with_it() -> None:
    standing = standing_of([act(ActKind.OVERRIDE, "user_id:1", "user_id:2", at=1)])
    one, other = side("a", devices="d", unique="user_id:1"), side("b", devices="d", unique="user_id:2")
    assert same_person(one, other, standing, RULES) is not None


WORDS = st.sampled_from(["", "x@acme.com", "x+1@acme.com", "y@acme.com", "x@acme.com y@acme.com"])
THINGS = st.sampled_from(["", "d1", "d1 d2"])
SIDES = st.builds(
    lambda emails, devices, points, called: {"emails": emails, "devices": devices, "points": points, "called": called},
    WORDS,
    THINGS,
    THINGS,
    st.sampled_from([None, "ann"]),
)
MORE = st.fixed_dictionaries(
    {"unique": st.sampled_from(["", "user_id:1", "user_id:2"]), "minted_at": st.integers(0, 1)}
)


@given(SIDES, SIDES, MORE, MORE)
def test_only_what_is_over_a_contact_point_needs_an_override(
    one: dict[str, str], other: dict[str, str], more: dict[str, str], others: dict[str, str]
) -> None:
    a, b = side("a", **one, **more), side("b", **other, **others)  # type: ignore[arg-type]  # drawn as such
    found = same_person(a, b, NOBODY, RULES)
    assert found == same_person(b, a, NOBODY, RULES)
    against = len(a.unique | b.unique) == 2
    if found is None:
        assert not a.emails.keys() & b.emails.keys()
        assert not a.points & b.points
    else:
        assert bool(found.values) is against
        assert found.ground is not Ground.SHARED_DEVICE or not against
        assert {found.leaving, found.staying} == {found.a, found.b}
        assert found.staying == (found.a if a.minted_at <= b.minted_at else found.b)


@given(SIDES, SIDES)
def test_a_pair_is_the_same_whichever_comes_first(one: dict[str, str], other: dict[str, str]) -> None:
    a, b = side("a", **one), side("b", **other)  # type: ignore[arg-type]  # drawn as such
    found = same_person(a, b, NOBODY, RULES)
    assert found == same_person(b, a, NOBODY, RULES)
    assert found is None or (found.one, found.other) == ("a", "b")
    assert same_person(a, a, NOBODY, RULES) is None


ACME = Organisation("account:acme", "acme.com", "Acme")


def test_somebody_with_an_address_of_the_domain_may_belong_to_the_account() -> None:
    found = affiliation(side("a", emails="ann@acme.com"), ACME)
    assert found is not None
    assert (found.score, found.a) == (0.2, "email:ann@acme.com")
    assert sentence_of(found) == "email:ann@acme.com is an address of acme.com, the domain of the account account:acme."


def test_nobody_belongs_to_an_account_by_a_mail_provider_or_against_what_is_known() -> None:
    gmail = Organisation("account:g", "gmail.com", "Google")
    assert affiliation(side("a", emails="ann@gmail.com"), gmail) is None
    assert affiliation(side("a", emails="ann@acme.com", accounts="account:acme"), ACME) is None
    assert affiliation(side("a", emails="ann@other.com"), ACME) is None


def test_names_are_compared_without_case_and_needless_spaces() -> None:
    assert comparable_name(" Ann  LEE ", None, None) == comparable_name(None, "ann", "Lee") == "ann lee"
    assert comparable_name(None, None, None) is comparable_name("", None, "") is None
