"""What a report of a simulation says of small stories, field by field."""

from collections.abc import Mapping
from dataclasses import fields, replace

import pytest

from identity.evidence import ActKind, Kind
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import Authority, Message
from identity.policy import Normaliser
from identity.recomputing import Columns, Recomputed, recompute
from identity.simulation import Before, Regrouped, SegmentChange, Simulation, Turned, compared, simulation_of
from identity.stitching import Generic, Known
from tests.building import act, default_policy, identify, track
from tests.identity.policies import with_rules
from tests.identity.simulating import tried

ONE_EACH = replace(with_rules("user_id", unique=False), version="candidate")
FOLDED = with_rules("email", normaliser=Normaliser.EMAIL_FOLDED)
HOUSEHOLD = [
    identify("u0", "a0", at=1, email="e0@x.com"),
    identify("u1", "a1", at=2, email="e1@x.com"),
    identify("u0", at=10, email="home@x.com"),
    identify("u1", at=11, email="home@x.com"),
    identify("u2", "a2", at=12),
]


def test_a_report_says_who_becomes_one_which_links_turn_and_what_is_shared_no_more() -> None:
    keys = ("anonymous_id:a0", "anonymous_id:a1", "email:e0@x.com", "email:e1@x.com", "email:home@x.com")
    found = tried(HOUSEHOLD, default_policy(), ONE_EACH)
    one, other = (found.stored.profile_of[IdentifierKey(key)] for key in ("user_id:u0", "user_id:u1"))
    home = tuple(f"email:home@x.com - user_id:u{number} (cooccur)" for number in range(2))
    assert found.report == Simulation(
        version="candidate",
        hash=ONE_EACH.hash,
        heard_anew=False,
        identifiers=9,
        links=9,
        people_before=3,
        people_after=2,
        merges=1,
        splits=0,
        largest_merges=(Regrouped((one, other), (one,), 7, (*keys, "user_id:u0", "user_id:u1")),),
        largest_splits=(),
        links_turned=(Turned("generic", None, 2, home),),
        generic_turned=(Turned("values", None, 1, ("email:home@x.com",)),),
        affected=1,
    )


def test_a_report_says_who_becomes_several_without_what_is_shared_then() -> None:
    keys = ("anonymous_id:a0", "anonymous_id:a1", "email:e0@x.com", "email:e1@x.com", "user_id:u0", "user_id:u1")
    found = tried(HOUSEHOLD, ONE_EACH, default_policy())
    ids = [
        str(each.id) for each in found.after.values() if "user_id:u0" in each.members or "user_id:u1" in each.members
    ]
    assert found.report.largest_splits == (Regrouped((min(ids),), tuple(sorted(ids)), 6, keys),)
    assert (found.report.splits, found.report.merges, found.report.affected) == (1, 0, 3)
    assert found.report.generic_turned == (Turned(None, "values", 1, ("email:home@x.com",)),)
    home = tuple(f"email:home@x.com - user_id:u{number} (cooccur)" for number in range(2))
    assert found.report.links_turned == (Turned(None, "generic", 2, home),)


def homes(many: int) -> list[Message]:
    """Pairs of people with one address each pair; the later ones have more devices."""
    people = [(home, person) for home in range(many) for person in range(2)]
    shared = [identify(f"u{home:02d}{person}", email=f"h{home:02d}@x.com", at=home) for home, person in people]
    devices = [
        identify(f"u{home:02d}0", f"a{home:02d}{number:02d}", at=50 + number)
        for home in range(many)
        for number in range(home)
    ]
    return [*shared, *devices]


def test_the_ten_largest_are_listed_each_with_its_first_ten_identifiers_and_three_examples_of_what_turns() -> None:
    there = tried(homes(12), default_policy(), ONE_EACH).report
    assert (there.merges, len(there.largest_merges)) == (12, 10)
    assert [each.identifiers for each in there.largest_merges] == [3 + home for home in range(11, 1, -1)]
    assert there.largest_merges[0].keys == tuple(f"anonymous_id:a11{number:02d}" for number in range(10))
    assert there.generic_turned == (Turned("values", None, 12, tuple(f"email:h{home:02d}@x.com" for home in range(3))),)
    (links,) = there.links_turned
    assert (links.count, len(links.examples), list(links.examples)) == (24, 3, sorted(links.examples))
    back = tried(homes(12), ONE_EACH, default_policy()).report
    assert (back.splits, len(back.largest_splits)) == (12, 10)
    assert back.largest_splits[0].keys == tuple(f"anonymous_id:a11{number:02d}" for number in range(10))
    assert [each.identifiers for each in back.largest_splits] == [2 + home for home in range(11, 1, -1)]


def test_of_equally_large_ones_the_smaller_ids_come_first() -> None:
    same = [message for message in reversed(homes(4)) if message.sightings[-1].namespace == "email"]
    merges = tried(same, default_policy(), ONE_EACH).report.largest_merges
    assert [each.before for each in merges] == sorted(each.before for each in merges)


def told(before: Before, parts: list[int], generic: Mapping[int, Generic]) -> Simulation:
    """A report of anonymous ids, each minted before the one it follows, linked in a row without a refusal."""
    columns = Columns()
    for number in range(len(parts)):
        columns.add_identifier(Known(IdentifierKey(f"anonymous_id:a{number}"), f"m{9 - number}", number))
    for number in range(len(parts) - 1):
        columns.add_row((number, number + 1), Kind.COOCCUR, Authority.CLAIMED, 0, sure=True)
    found = Recomputed(parts, {}, {}, generic)
    others = compared(columns, found, before, default_policy())
    return simulation_of(columns, found, before, others, default_policy(), heard_anew=False)


@pytest.mark.parametrize(
    ("profiles", "parts", "shared", "affected"),
    [
        ("PP", [0, 0], [], 0),
        ("P ", [0, 0], [], 1),
        ("PP", [0, 1], [], 2),
        ("P", [0], [0], 1),
        ("QPP", [0, 0, 2], [], 2),
        ("QPPR", [0, 0, 2, 3], [], 2),
    ],
    ids=["nobody", "with a new one", "in two", "shared alone", "with another's", "and somebody else"],
)
def test_who_has_not_the_identifiers_of_one_profile_or_turns_shared_is_affected(
    profiles: str, parts: list[int], shared: list[int], affected: int
) -> None:
    before = Before([None if each == " " else ProfileId(each) for each in profiles])
    assert told(before, parts, dict.fromkeys(shared, Generic.VALUES)).affected == affected


def test_what_turns_most_often_comes_first_then_by_the_words() -> None:
    reasons = {0: "size", 1: "limit", 2: "generic", 3: "size", 4: None}
    profiles: list[ProfileId | None] = [ProfileId(f"p{number}") for number in range(6)]
    was = {0: "values", 1: "partners"}
    now = dict.fromkeys(range(2, 6), Generic.VALUES)
    report = told(Before(profiles, was, reasons), list(range(6)), now)
    links = [(each.before, each.after, each.count) for each in report.links_turned]
    assert links == [("size", None, 2), ("generic", None, 1), ("limit", None, 1)]
    generic = [(each.before, each.after, each.count) for each in report.generic_turned]
    assert generic == [(None, "values", 4), ("partners", None, 1), ("values", None, 1)]
    assert report.generic_turned[0].examples == ("anonymous_id:a2", "anonymous_id:a3", "anonymous_id:a4")


def test_a_link_that_is_new_has_turned_from_nothing() -> None:
    report = told(Before([ProfileId("p"), ProfileId("p"), None], reasons={0: "size"}), [0, 0, 0], {})
    assert [(each.before, each.count) for each in report.links_turned] == [("size", 1)]


def test_two_people_who_become_two_others_are_two_merges_and_two_splits_in_the_order_of_ids() -> None:
    one, other = ProfileId("one"), ProfileId("other")
    report = told(Before([other, one, one, other]), [0, 0, 2, 2], {})
    keys = [(f"anonymous_id:a{number}", f"anonymous_id:a{number + 1}") for number in (2, 0)]
    merges = [Regrouped((one, other), (id_,), 2, some) for id_, some in zip(("m7", "m9"), keys, strict=True)]
    assert list(report.largest_merges) == merges
    assert [(each.before, each.after) for each in report.largest_splits] == [
        ((one,), ("m7", "m9")),
        ((other,), ("m7", "m9")),
    ]


SPELT = [identify("u1", email="l.ee@gmail.com", at=1), identify("u2", email="lee@gmail.com", at=2)]


def test_what_a_candidate_writes_otherwise_is_the_same_persons_as_before() -> None:
    found = tried(SPELT, default_policy(), FOLDED)
    assert found.report.heard_anew
    one, other = (found.stored.profile_of[IdentifierKey(f"user_id:u{number}")] for number in (1, 2))
    assert found.parts.profiles == {one, other}
    assert (found.report.people_before, found.report.people_after) == (2, 2)
    assert found.report.generic_turned == (Turned(None, "values", 1, ("email:lee@gmail.com",)),)


def test_an_address_that_becomes_another_persons_takes_its_own_person_along() -> None:
    steps = [track(email="l.ee@gmail.com", at=1), identify("u2", email="lee@gmail.com", at=2)]
    found = tried(steps, default_policy(), FOLDED)
    gone, stays = (found.stored.profile_of[IdentifierKey(f"email:{address}@gmail.com")] for address in ("l.ee", "lee"))
    (merge,) = found.report.largest_merges
    assert merge == Regrouped((gone, stays), (stays,), 2, ("email:lee@gmail.com", "user_id:u2"))
    assert (found.report.people_before, found.report.people_after, found.report.splits) == (2, 1, 0)
    assert found.parts.profiles == {gone, stays}


def test_who_becomes_a_shared_address_merges_with_nobody() -> None:
    steps = [track(email="l.ee@gmail.com", at=1), *(identify(f"u{n}", email="lee@gmail.com", at=n) for n in range(2))]
    found = tried(steps, default_policy(), FOLDED)
    assert (found.report.merges, found.report.people_before, found.report.people_after) == (0, 3, 2)
    assert found.report.affected == 1


def test_two_whose_address_becomes_one_that_is_shared_merge_no_more_than_others_do() -> None:
    steps = [track(email="l.ee@gmail.com", at=1), identify("u1", "a1", email="lee@gmail.com", at=2)]
    found = tried(steps, default_policy(), with_rules("email", normaliser=Normaliser.EMAIL_FOLDED, max_partners=1))
    assert found.report.generic_turned == (Turned(None, "partners", 1, ("email:lee@gmail.com",)),)
    assert (found.report.merges, found.report.people_before, found.report.people_after) == (0, 2, 1)


def test_who_loses_an_address_to_somebody_else_merges_with_nobody() -> None:
    candidate = with_rules("email", normaliser=Normaliser.EMAIL_FOLDED, generic_above=None)
    steps = [identify("u1", email="lee@gmail.com", at=1), identify("u2", email="l.ee@gmail.com", at=2)]
    found = tried(steps, default_policy(), candidate)
    assert (found.report.merges, found.report.splits, found.report.affected) == (0, 0, 1)


def test_who_has_a_new_address_is_affected_and_split_from_nobody() -> None:
    steps = [identify("u1", email="l.ee@gmail.com", at=1), identify("u2", email="le.e@gmail.com", at=2)]
    found = tried(steps, FOLDED, default_policy())
    assert (found.report.splits, found.report.people_before, found.report.people_after) == (0, 2, 2)
    assert found.report.affected == 2


def test_an_address_of_which_nothing_came_takes_nobody_along() -> None:
    columns = Columns()
    columns.add_identifier(Known(IdentifierKey("user_id:u1"), "m1", 1))
    gone, nowhere = IdentifierKey("email:a@x.com"), IdentifierKey("email:b@x.com")
    before = Before([ProfileId("m1")], gone={gone: ProfileId("m2")}, heirs={gone: nowhere})
    found = recompute(columns, [], default_policy())
    parts = compared(columns, found, before, default_policy())
    assert (parts.members, parts.profiles) == ({}, {"m2"})
    assert simulation_of(columns, found, before, parts, default_policy(), heard_anew=True).people_before == 2


def test_what_is_stored_of_fewer_identifiers_than_were_asked_about_is_not_compared() -> None:
    columns = Columns()
    columns.add_identifier(Known(IdentifierKey("user_id:u1"), "m1", 1))
    with pytest.raises(ValueError, match="longer"):
        compared(columns, recompute(columns, [], default_policy()), Before(), default_policy())


def test_a_shared_address_that_is_gone_was_nobody() -> None:
    steps = [identify(f"u{n}", email="l.ee@gmail.com", at=n) for n in range(2)]
    blocked = with_rules("email", blocked_values=frozenset({"l.ee@gmail.com"}))
    found = tried(steps, default_policy(), blocked)
    assert (found.report.people_before, found.report.people_after, found.report.affected) == (2, 2, 0)
    assert found.parts.profiles == {found.stored.profile_of[IdentifierKey("email:l.ee@gmail.com")]}


def test_who_has_an_identifier_less_is_affected() -> None:
    blocked = with_rules("email", blocked_values=frozenset({"e0@x.com"}))
    found = tried(HOUSEHOLD, default_policy(), blocked)
    assert found.listed == [{"anonymous_id:a0", "user_id:u0"}]
    assert found.parts.profiles == {found.stored.profile_of[IdentifierKey("user_id:u0")]}


def test_a_person_has_the_id_of_the_contact_that_was_minted_first() -> None:
    columns = Columns()
    for key, mint, at in (("email:e@x.com", "m-e", 1), ("crm:c", "m-c", 3), ("user_id:u", "m-u", 2)):
        columns.add_identifier(Known(IdentifierKey(key), mint, at))
    found = recompute(columns, [act(ActKind.SAME, "email:e@x.com", "user_id:u", at=1)], default_policy())
    parts = compared(columns, found, Before([None] * 3), default_policy())
    assert sorted(parts.ids.values()) == ["m-c", "m-u"]


def test_a_report_that_is_kept_names_no_values() -> None:
    report = tried(HOUSEHOLD, default_policy(), ONE_EACH).report
    back = tried(HOUSEHOLD, ONE_EACH, default_policy()).report
    segment = SegmentChange("buyers", 2, 3, 2, 1, ("m1", "email:new@x.com"), ("m2", "email:old@x.com"), "a note")
    full = replace(report, largest_splits=back.largest_splits, segments=(segment,), notes=("a note",), traits=4)
    kept = full.without_values()
    assert "@" not in str(kept)
    assert "_id:" not in str(kept)
    assert kept.segments == (replace(segment, enter=("m1",), leave=("m2",)),)
    assert kept.largest_merges == tuple(replace(each, keys=()) for each in full.largest_merges)
    assert kept.largest_splits == tuple(replace(each, keys=()) for each in full.largest_splits)
    assert kept.links_turned == (Turned("generic", None, 2),)
    assert kept.generic_turned == (Turned("values", None, 1),)
    rest = {"largest_merges", "largest_splits", "links_turned", "generic_turned", "segments"}
    said = [each.name for each in fields(Simulation) if each.name not in rest]
    assert [getattr(full, name) for name in said] == [getattr(kept, name) for name in said]
