"""From a message to evidence: who did it, what it ties together, what it states."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from identity.evidence import (
    AliasSaid,
    Heard,
    Kind,
    Link,
    derived_link,
    hear,
    joined,
    matters,
    resolved,
    sha256_of,
    time_of,
)
from identity.identifiers import IdentifierKey
from identity.messages import Authority, Message, MessageId, MessageKind, Sighting, SourceName, Warned, micros
from identity.policy import Namespace, Role
from identity.survivorship import Observation
from tests.building import RECEIVED, after, alias, default_policy, identify, message, track

POLICY = default_policy().with_namespaces([Namespace(name="crm", role=Role.CONTACT, priority=1, unique=True)])
I, V, C = Authority.IMPORTED, Authority.VERIFIED, Authority.CLAIMED  # noqa: E741 -- the column of a table


def heard(said: Message) -> Heard:
    return hear(said, POLICY)


def pairs(said: Message) -> set[tuple[str, str]]:
    return {(link.a, link.b) for link in heard(said).links}


def alias_of(said: Message) -> AliasSaid:
    (found,) = heard(said).aliases
    return found


def among(*sightings: Sighting) -> Message:
    return Message(**{**vars_of(track("a1")), "sightings": sightings})  # type: ignore[arg-type] # its own fields


def vars_of(said: Message) -> dict[str, object]:
    return {name: getattr(said, name) for name in Message.__slots__}


@pytest.mark.parametrize(
    ("identifiers", "actor"),
    [
        (["email:e@x.com", "anonymous_id:a", "crm:c", "user_id:u"], "user_id:u"),
        (["email:e@x.com", "anonymous_id:a", "crm:c"], "crm:c"),
        (["shop.customer:9", "crm:c", "anonymous_id:a"], "shop.customer:9"),
        (["email:e@x.com", "device_id:d", "anonymous_id:a"], "anonymous_id:a"),
        (["email:e@x.com", "push_token:t", "device_id:d"], "device_id:d"),
        (["phone:+491712345678", "email:e@x.com"], "email:e@x.com"),
        (["phone:+491712345678"], "phone:+491712345678"),
        (["user_id:null", "anonymous_id:a"], "anonymous_id:a"),
    ],
)
def test_the_actor_is_the_first_contact_then_device_then_contact_point(identifiers: list[str], actor: str) -> None:
    named = [(each.partition(":")[0], each.partition(":")[2]) for each in identifiers]
    assert heard(message(MessageKind.TRACK, named)).actor == actor


def test_a_message_whose_values_are_all_blocked_names_nobody() -> None:
    found = heard(identify("null", "undefined"))
    assert (found.actor, found.links) == (None, ())
    assert [each.code for each in found.warnings] == ["blocked_identifier", "blocked_identifier"]


def test_what_is_no_address_is_warned_of_at_its_place() -> None:
    (warned,) = heard(identify("u1", email="nobody")).warnings
    assert (warned.code, warned.place) == ("invalid_identifier", "email")


def test_every_two_identifiers_of_a_message_are_linked() -> None:
    assert pairs(identify("u1", "a1", email="e@x.com")) == {
        ("anonymous_id:a1", "user_id:u1"),
        ("email:e@x.com", "user_id:u1"),
        ("anonymous_id:a1", "email:e@x.com"),
    }


def test_only_the_first_ten_by_priority_then_key_are_linked() -> None:
    devices = [("anonymous_id", f"a{number:02d}") for number in reversed(range(11))]
    found = pairs(message(MessageKind.IDENTIFY, [*devices, ("user_id", "u1")]))
    ends = {end for pair in found for end in pair}
    assert len(found) == 45
    assert ends == {"user_id:u1", *(f"anonymous_id:a{number:02d}" for number in range(9))}


def test_one_identifier_gives_no_link() -> None:
    assert pairs(track("a1")) == set()


def test_a_value_sent_twice_is_one_identifier() -> None:
    assert pairs(message(MessageKind.TRACK, [("email", "E@x.com"), ("email", "e@x.com")])) == set()


def test_a_link_has_the_weaker_authority_of_its_ends() -> None:
    found = heard(among(Sighting("user_id", "u", "userId", I), Sighting("email", "e@x.com", "email", C)))
    assert [link.authority for link in found.links] == [C]


def test_the_stronger_sighting_of_one_value_counts() -> None:
    twice = Sighting("user_id", "u", "userId", C), Sighting("user_id", "u", "id", V)
    assert [each.authority for each in heard(among(*twice, Sighting("email", "e@x.com", "email", I))).links] == [V]


def test_two_keys_of_one_record_make_a_link_of_their_own_kind() -> None:
    keys = Sighting("crm", "c", "Id", I, record_key=True), Sighting("shop", "s", "Shop", I, record_key=True)
    found = heard(among(*keys, Sighting("email", "e@x.com", "Email", I)))
    assert sorted(link.kind.word for link in found.links) == ["cooccur", "cooccur", "import_key"]


def test_two_values_of_a_unique_namespace_are_told_beside_what_cannot_be_read_and_no_alias_is_heard() -> None:
    two = [("user_id", "u1"), ("user_id", "u2"), ("email", "nobody")]
    found = heard(message(MessageKind.ALIAS, two, previous="a1"))
    assert [each.code for each in found.warnings] == ["invalid_identifier", "two_values_unique"]
    assert found.warnings[0].sentence.endswith("; it is ignored as email")
    assert found.aliases == ()


def test_a_number_without_a_country_is_one_of_the_region_of_its_message() -> None:
    said = message(MessageKind.TRACK, [("phone", "0171 2345678")], region="DE")
    assert heard(said).actor == "phone:+491712345678"


def test_the_own_time_counts_where_it_is_sure_and_the_shown_one_elsewhere() -> None:
    sure = identify("u1", "a1", at=5.0)
    shown_later = replace(sure, at=after(9))
    assert (time_of(shown_later), shown_later.sure) == (micros(after(5)), True)
    unsure = replace(sure, own_time=after(60 * 24 * 365 * 9))
    assert (time_of(unsure), unsure.sure) == (micros(unsure.at), False)
    assert time_of(replace(sure, own_time=None)) == micros(sure.at)


def test_what_a_message_states_says_who_stated_it_when_and_by_which_message() -> None:
    said = identify("u1", at=5.0, traits={"name": "Ann"})
    own = micros(after(5))
    (found,) = heard(said).observations
    assert found == Observation("name", "Ann", said.source, own, said.id, True, own, said.id, 1)


def test_a_value_sighted_as_a_key_and_not_is_a_key() -> None:
    crm = Sighting("crm", "c", "Id", I, record_key=True)
    for twice in ([crm, replace(crm, record_key=False)], [replace(crm, record_key=False), crm]):
        found = heard(among(*twice, Sighting("shop", "s", "Shop", I, record_key=True)))
        assert [link.kind for link in found.links] == [Kind.IMPORT_KEY]


def test_a_link_says_who_said_so_and_both_ends_name_each_other() -> None:
    said = identify("u1", "a1")
    (link,) = heard(said).links
    assert (link.source, link.message) == (said.source, said.id)
    assert (link.other(link.a), link.other(link.b)) == (link.b, link.a)


@pytest.mark.parametrize(
    ("strong", "namespace", "actor"),
    [("boss", "user_id", "user_id:x"), ("phone", "email", "email:x@x.com"), ("boss", "crm", "boss:+491712345678")],
)
def test_who_acts_is_told_by_the_kind_of_identifier_before_the_priority(
    strong: str, namespace: str, actor: str
) -> None:
    role = Role.CONTACT_POINT if strong == "phone" else Role.CONTACT
    ruling = POLICY.with_namespaces([Namespace(name="boss", role=Role.CONTACT, priority=0)])
    rules = replace(ruling.namespace(strong), role=role, priority=0)
    ruling = replace(ruling, namespaces={**ruling.namespaces, strong: rules})
    value = "x@x.com" if namespace == "email" else "x"
    assert hear(message(MessageKind.TRACK, [(strong, "+491712345678"), (namespace, value)]), ruling).actor == actor


def test_t50_two_values_of_a_unique_namespace_link_nothing() -> None:
    said = message(
        MessageKind.IDENTIFY, [("user_id", "u1"), ("anonymous_id", "a"), ("user_id", "u2")], traits={"name": "x"}
    )
    found = heard(said)
    assert (found.actor, found.links, found.observations) == ("user_id:u1", (), ())
    sentence = "two values of user_id in one message; it links nothing, send one of them"
    assert found.warnings == (Warned("two_values_unique", "user_id", sentence),)


def test_two_external_ids_that_are_not_unique_are_linked() -> None:
    assert pairs(message(MessageKind.TRACK, [("shop", "1"), ("shop", "2")])) == {("shop:1", "shop:2")}


def test_a_link_carries_the_own_time_of_the_message() -> None:
    (link,) = heard(identify("u1", "a1", at=5.0)).links
    assert (link.first_seen, link.last_seen, link.sure) == (micros(after(5)), micros(after(5)), True)


def test_a_link_without_a_believable_time_is_unsure_and_has_the_moment_shown() -> None:
    (link,) = heard(identify("u1", "a1", at=None)).links
    assert (link.first_seen, link.sure) == (micros(RECEIVED), False)


def test_persons_are_contacts_and_contact_points_strongest_first() -> None:
    found = heard(message(MessageKind.TRACK, [("email", "e@x.com"), ("anonymous_id", "a"), ("user_id", "u")]))
    assert (found.persons, found.devices) == (("user_id:u", "email:e@x.com"), ("anonymous_id:a",))


def test_of_devices_of_one_rank_the_smaller_key_acts_and_of_contacts_the_one_named_first() -> None:
    devices = [("push_token", "b"), ("push_token", "a"), ("advertising_id", "z")]
    assert heard(message(MessageKind.TRACK, devices)).actor == "advertising_id:z"
    assert heard(message(MessageKind.TRACK, devices[:2])).actor == "push_token:a"
    assert heard(message(MessageKind.TRACK, [("shop", "2"), ("cart", "3"), ("shop", "1")])).actor == "shop:2"


def test_the_actor_is_not_among_the_devices() -> None:
    found = heard(message(MessageKind.TRACK, [("anonymous_id", "a"), ("device_id", "d")]))
    assert (found.actor, found.devices) == ("anonymous_id:a", ("device_id:d",))


def test_traits_are_observed_under_their_canonical_names() -> None:
    found = heard(identify("u1", traits={"firstName": "Ann", "shoe": 41}))
    assert {each.trait: each.value for each in found.observations} == {"first_name": "Ann", "shoe": 41}


def test_an_alias_keeps_its_previous_id_raw() -> None:
    said = alias_of(alias("old", "u1"))
    assert (said.end, said.previous, said.link.kind) == ("user_id:u1", "old", Kind.ALIAS)


def test_a_previous_id_means_a_user_id_where_one_is_known() -> None:
    said = alias_of(alias("old", "u1"))
    meant = [resolved(said, known) for known in ((), [IdentifierKey("user_id:old")])]
    assert [(link.a, link.b) for link in meant if link] == [
        ("anonymous_id:old", "user_id:u1"),
        ("user_id:old", "user_id:u1"),
    ]


def test_t15_an_alias_of_itself_says_nothing() -> None:
    assert heard(alias("u1", "u1")).aliases == ()
    assert heard(alias("a1", on="a1")).aliases == ()


def test_an_alias_of_a_blocked_id_is_ignored_with_a_warning() -> None:
    found = heard(alias("undefined", "u1"))
    sentence = "the value is a placeholder that many people share; the alias is ignored"
    assert (found.aliases, found.warnings) == ((), (Warned("blocked_identifier", "previousId", sentence),))


def test_what_a_previous_id_is_is_read_by_the_rules_of_user_ids() -> None:
    policy = default_policy()
    users = replace(policy.namespaces["user_id"], blocked_values=frozenset({"kiosk"}))
    ruling = replace(policy, namespaces={**policy.namespaces, "user_id": users})
    assert hear(alias("kiosk", "u1"), ruling).aliases == ()
    assert hear(alias("kiosk", "u1"), policy).aliases


def test_aliases_that_name_different_ids_stay_apart_on_one_pair() -> None:
    """Either may come to mean another identifier later, and then must not take the other with it."""
    one = resolved(alias_of(alias("b", on="a")), ())
    other = resolved(alias_of(alias("a", on="b")), ())
    assert one is not None
    assert other is not None
    assert (one.a, one.b) == (other.a, other.b)
    assert one.id != other.id


def test_repeats_aggregate_by_first_last_and_number() -> None:
    (one,), (other,) = (heard(identify("u1", "a1", at=at)).links for at in (3.0, 9.0))
    both = joined(one, other)
    assert both == joined(other, one)
    assert (both.first_seen, both.last_seen, both.count) == (micros(after(3)), micros(after(9)), 2)
    assert both.message == one.message


def test_a_sure_time_comes_before_an_unsure_one() -> None:
    (sure,), (unsure,) = (heard(identify("u1", "a1", at=at)).links for at in (9.0, None))
    assert joined(sure, unsure).first_seen == joined(unsure, sure).first_seen == micros(after(9))
    assert joined(sure, unsure).sure


def test_aggregates_have_the_best_authority() -> None:
    (one,), (other,) = (heard(identify("u1", "a1", at=at, authority=by)).links for at, by in ((3.0, C), (9.0, I)))
    assert joined(one, other).authority is I


def test_only_the_first_sighting_and_the_authority_matter_to_stitching() -> None:
    (one,), (later,), (earlier,) = (heard(identify("u1", "a1", at=at)).links for at in (3.0, 9.0, 1.0))
    (stronger,) = heard(identify("u1", "a1", at=9.0, authority=I)).links
    assert [matters(one, joined(one, each)) for each in (later, earlier, stronger)] == [False, True, True]


def test_t42_an_address_and_its_hash_are_linked_by_arithmetic() -> None:
    digest = sha256_of("ann@x.com")
    link = derived_link(IdentifierKey("email:ann@x.com"), IdentifierKey(f"email_sha256:{digest}"))
    assert digest == "0b2d6603047b0e23d4fc76b502153865296189b7d3a170d1a7b2dcda4e2b6d10"
    a, b = IdentifierKey("email:ann@x.com"), IdentifierKey(f"email_sha256:{digest}")
    since = micros(datetime(2000, 1, 1, tzinfo=UTC))
    assert link == Link(a, b, Kind.DERIVED, V, since, True, since, 1, SourceName("selfsame"), MessageId("derived"))
    assert derived_link(b, a) == link


def test_for_whom_nobody_vouched_does_nothing_and_states_nothing_of_herself() -> None:
    said = identify("u1", "a1", email="e1@x.com", traits={"plan": "pro"}, authority=Authority.UNVERIFIED)
    told = heard(said)
    assert (told.actor, told.persons) == ("anonymous_id:a1", ("user_id:u1", "email:e1@x.com"))
    assert [each.trait for each in told.observations] == ["plan"]
    assert [(each.code, each.place) for each in told.warnings] == [("not_vouched_for", said.sightings[0].place)]
    assert {each.authority for each in told.links} == {Authority.UNVERIFIED}


def test_a_message_of_nobody_but_her_has_no_actor() -> None:
    assert heard(identify("u1", email="e1@x.com", authority=Authority.UNVERIFIED)).actor is None


def test_who_is_vouched_for_acts_beside_who_is_not() -> None:
    said = identify("u1", "a1", email="e1@x.com", authority=Authority.UNVERIFIED)
    vouched = replace(said, sightings=tuple(
        replace(each, authority=V) if each.namespace != "email" else each for each in said.sightings
    ))  # fmt: skip
    assert (heard(vouched).actor, heard(vouched).warnings) == ("user_id:u1", ())
