"""A message that carries the erased beside somebody else, and what accounts and orders are called in it."""

from dataclasses import replace

import pytest

from identity.erasure import ERASED, Hashing
from identity.identifiers import IdentifierKey
from identity.messages import About, AccountStatement, Message, MessageKind, Subject, Warned
from identity.stripping import names_in, renamed, stripped
from tests.building import alias, default_policy, identify, message, track

ANN = "ann@example.com"
EMAIL = frozenset({IdentifierKey(f"email:{ANN}")})
HASHING = Hashing(bytes(32))
HERS = AccountStatement(f"account:{ANN}", {"name": f"{ANN} and friends", "size": 2}, parent="account:example.com")


def with_names(sent: Message) -> Message:
    order = About(Subject.ORDER, f"web:{ANN}-1", {"number": f"{ANN}-1", "total": 9}, account=HERS.key)
    return replace(sent, account=HERS, about=(order, About(Subject.PRODUCT, "web:p1")), name=f"Invited {ANN}")


def test_what_a_message_names_are_accounts_their_parents_and_things() -> None:
    assert names_in(with_names(track("a1"))) == {HERS.key, HERS.parent, f"web:{ANN}-1", "web:p1"}
    assert names_in(track("a1")) == frozenset()


def test_of_new_accounts_and_orders_that_are_named_after_the_erased_nothing_is_said() -> None:
    left = stripped(with_names(identify("u2", email=ANN)), EMAIL, default_policy())
    assert (left.account, left.name) == (None, f"Invited {ERASED}")
    assert [each.key for each in left.about] == ["web:p1"]


@pytest.mark.parametrize("erased", [EMAIL, frozenset()])
def test_those_that_were_known_go_by_their_pseudonyms(erased: frozenset[IdentifierKey]) -> None:
    sent = replace(with_names(identify("u2", email=ANN)), context={"groupId": ANN, "ip": "::1"})
    called = {name: HASHING.pseudonym(name) for name in (HERS.key, f"web:{ANN}-1")}
    left = stripped(sent, erased, default_policy(), called)
    assert left.account == AccountStatement(
        called[HERS.key], {"name": f"{ERASED} and friends", "size": 2}, parent="account:example.com"
    )
    assert left.about[0] == About(Subject.ORDER, called[f"web:{ANN}-1"], {"total": 9}, account=called[HERS.key])
    assert (left.context, left.name) == ({"ip": "::1"}, f"Invited {ERASED}")


def test_what_is_said_of_a_person_may_be_said_anew_beside_an_account_that_was_named_after_her() -> None:
    sent = replace(identify("u1", email=ANN, traits={"email": ANN}), account=HERS)
    left = stripped(sent, frozenset(), default_policy(), {HERS.key: HASHING.pseudonym(HERS.key)})
    assert (left.traits, [each.value for each in left.sightings]) == ({"email": ANN}, ["u1", ANN])


def test_an_id_that_tells_the_erased_is_a_hash() -> None:
    sent = identify("u2", email=ANN, id=f"invite-{ANN}")
    assert renamed(sent, EMAIL, default_policy(), HASHING).id == f"web:{HASHING.of_message(sent.id)}"
    assert renamed(identify("u2", id="m1"), EMAIL, default_policy(), HASHING).message_id == "m1"


U1 = frozenset({IdentifierKey("user_id:u1"), IdentifierKey("anonymous_id:a1")})


@pytest.mark.parametrize(("previous", "left"), [("u1", None), ("a1", None), ("u3", "u3"), ("A1", "A1")])
def test_what_an_alias_was_before_goes_where_it_can_mean_an_erased_user_or_device(
    previous: str, left: str | None
) -> None:
    assert stripped(alias(previous, "u2"), U1, default_policy()).previous_id == left


def test_what_a_message_says_beside_the_erased_keeps_the_rest() -> None:
    warned = Warned("invalid", "traits.email", f"not an address: {ANN} x")
    sent = replace(
        track("a1", email=ANN, traits={"city": "Oslo", "mail": ANN}),
        properties={"to": ANN, "n": 2, "text": f"to {ANN}!"},
        warnings=(warned,),
    )
    left = stripped(sent, EMAIL, default_policy())
    assert (left.traits, left.properties) == ({"city": "Oslo"}, {"n": 2, "text": f"to {ERASED}!"})
    assert left.warnings == (Warned("invalid", "traits.email", f"not an address: {ERASED} x"),)
    assert [each.value for each in left.sightings] == ["a1"]


@pytest.mark.parametrize("role", ["admin", None, ""])
def test_a_role_stays_and_a_parent_that_is_named_after_the_erased_goes(role: str | None) -> None:
    said = AccountStatement("account:acme", role=role, parent=f"account:{ANN}")
    left = stripped(replace(identify("u2", email=ANN), account=said), EMAIL, default_policy())
    assert left.account == AccountStatement("account:acme", role=role)


def test_a_role_that_tells_the_erased_keeps_the_rest() -> None:
    said = AccountStatement("account:acme", role=f"aide of {ANN}")
    left = stripped(replace(identify("u2", email=ANN), account=said), EMAIL, default_policy())
    assert left.account == AccountStatement("account:acme", role=f"aide of {ERASED}")


def test_a_number_without_its_country_is_that_of_the_region_but_in_the_key_of_an_account() -> None:
    """Such a key was judged at the erasure, which knows no region."""
    phone = frozenset({IdentifierKey("phone:+491712345678")})
    sent = message(MessageKind.IDENTIFY, [("user_id", "u2"), ("phone", "0171 2345678")], region="DE")
    said = AccountStatement("account:0171 2345678", {"phone": "0171 2345678", "size": 2})
    left = stripped(replace(sent, account=said, traits={"phone": "0171 2345678"}), phone, default_policy())
    assert ([each.value for each in left.sightings], left.traits) == (["u2"], {})
    assert left.account == AccountStatement("account:0171 2345678", {"size": 2})
