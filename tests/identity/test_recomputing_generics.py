"""In columns, too, what several people use is generic, though only what has links enough is counted."""

from dataclasses import replace

import pytest

from identity.evidence import Act, ActKind, Kind, Link, sha256_of
from identity.identifiers import IdentifierKey
from identity.messages import Authority, Message, MessageId, MessageKind, SourceName
from identity.policy import Namespace, Policy, Role
from identity.stitching import Evidence, Known
from tests.building import act, default_policy, identify, message, track
from tests.identity.columns import agreed, retold

E = "e@x.com"
EMAIL, HASH, PHONE = f"email:{E}", f"email_sha256:{sha256_of(E)}", "phone:+491712345678"
CRM = Namespace(name="crm", role=Role.CONTACT, priority=1, unique=True, max_partners=None)


def ruled(namespace: str, **rules: int | None) -> Policy:
    """The default policy with other rules for one namespace, and with a second unique one."""
    policy = default_policy().with_namespaces([CRM])
    changed = replace(policy.namespaces[namespace], **rules)  # type: ignore[arg-type] # handed through
    return replace(policy, namespaces={**policy.namespaces, namespace: changed})


def said(*keys: str, authority: Authority = Authority.CLAIMED) -> Message:
    named = [(each.partition(":")[0], each.partition(":")[2]) for each in keys]
    return message(MessageKind.IDENTIFY, named, authority=authority)


def same(one: str, other: str) -> Act:
    return act(ActKind.SAME, one, other, at=20)


def test_partners_before_and_behind_a_key_count_together() -> None:
    told = retold(track("a1", email=E), said(EMAIL, PHONE), policy=ruled("email", max_partners=1))
    assert told.generic == {EMAIL: "partners"}


def test_so_many_partners_as_are_allowed_are_not_too_many() -> None:
    told = retold(track("a1", email=E), said(EMAIL, PHONE), policy=ruled("email", max_partners=2))
    assert told.generic == {}


def test_values_of_unique_namespaces_before_and_behind_a_key_count_together() -> None:
    told = retold(said("crm:c1", EMAIL), identify("u1", email=E), identify("u2", email=E), policy=ruled("email"))
    assert told.generic == {EMAIL: "values"}


def test_who_was_tied_to_it_by_hand_is_a_partner() -> None:
    steps = (track("a1", email=E), track("a2"), same(EMAIL, "anonymous_id:a2"))
    told = retold(*steps, policy=ruled("email", max_partners=1))
    assert told.generic == {EMAIL: "partners"}
    assert told.why == {("anonymous_id:a1", EMAIL): "generic", ("anonymous_id:a2", EMAIL): "generic"}


def test_a_user_who_was_tied_to_it_by_hand_is_a_value() -> None:
    first = said("user_id:u1", EMAIL, authority=Authority.VERIFIED)
    told = retold(first, identify("u2"), same(EMAIL, "user_id:u2"), policy=ruled("email"))
    assert told.generic == {EMAIL: "values"}


def test_users_of_an_address_and_of_its_hash_count_together() -> None:
    policy = ruled("email", generic_above=2)
    steps = (identify("u1", email=E), identify("u2", email=E), said("user_id:u3", HASH))
    told = retold(*steps, policy=no_limit_of(policy, "email_sha256"))
    assert told.generic == {EMAIL: "values", HASH: "values"}


def test_partners_of_an_address_and_of_its_hash_count_together() -> None:
    policy = no_limit_of(ruled("email", max_partners=3), "email_sha256")
    steps = [track(f"a{number}", email=E) for number in (1, 2)]
    more = [said(f"anonymous_id:a{number}", HASH) for number in (3, 4)]
    told = retold(*steps, *more, policy=policy)
    assert told.generic == {EMAIL: "partners", HASH: "partners"}


def no_limit_of(policy: Policy, *names: str) -> Policy:
    rules = {name: replace(policy.namespaces[name], max_partners=None, generic_above=None) for name in names}
    return replace(policy, namespaces={**policy.namespaces, **rules})


def test_an_address_and_its_hash_turn_nothing_else_generic() -> None:
    known = said(EMAIL, HASH)
    told = retold(known, identify("u1", "a1"), identify("u2", "a1"), identify("u3", "a3"), policy=ruled("email"))
    assert told.generic == {"anonymous_id:a1": "values"}


@pytest.mark.parametrize("by_hand", [False, True])
def test_an_address_and_its_hash_are_one_partner(by_hand: bool) -> None:
    met = (said(PHONE), said(EMAIL), said(HASH), same(PHONE, EMAIL), same(PHONE, HASH))
    steps = met if by_hand else (said(PHONE, EMAIL), said(PHONE, HASH))
    told = retold(*steps, policy=no_limit_of(ruled("phone", max_partners=1), "email", "email_sha256"))
    assert told.generic == {}
    assert told.people == [[EMAIL, HASH, PHONE]]


def test_partners_that_a_third_one_ties_together_are_one_partner() -> None:
    keys = [IdentifierKey(each) for each in ("email:d@x.com", "email:e@x.com", HASH, PHONE)]
    known = {key: Known(key, f"m{number}", number) for number, key in enumerate(keys)}
    one, other, digest, phone = keys
    links = [
        link(one, digest, Kind.DERIVED),
        link(other, digest, Kind.DERIVED),
        link(one, phone, Kind.COOCCUR),
        link(other, phone, Kind.COOCCUR),
    ]
    told = agreed(Evidence(known, links), ruled("phone", max_partners=1))
    assert told.generic == {}


def link(one: IdentifierKey, other: IdentifierKey, kind: Kind) -> Link:
    return Link(one, other, kind, Authority.CLAIMED, 1, True, 1, 1, SourceName("web"), MessageId("web:1"))


def test_what_nobody_saw_is_never_told_as_generic() -> None:
    ghosts = [same("email:ghost@x.com", f"user_id:u{number}") for number in (1, 2)]
    told = retold(identify("u1", email=E), identify("u2", email=E), *ghosts, policy=ruled("email"))
    assert told.generic == {EMAIL: "values"}
    assert told.people == [[EMAIL], ["user_id:u1"], ["user_id:u2"]]
