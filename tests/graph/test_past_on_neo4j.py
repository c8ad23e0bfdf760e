"""What is asked of the past is what was answered then: a diary of random histories against the real Neo4j."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.applying import Applier, apply
from graph.connection import Connection
from graph.ingestion import commit_batch
from graph.past import PastPerson, View, person_by_id, person_by_key
from graph.past_traits import Rules, observations_then
from graph.policies import held_in
from graph.views import shown_traits
from identity.erasure import Scope
from identity.evidence import Act, ActId, ActKind
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import Message, micros
from identity.past import Moving, place_at
from identity.policy import Policy
from identity.policy_text import policy_from_toml
from identity.policy_writing import policy_text
from tests.building import act, after, default_policy, identify, minting, track
from tests.graph.erasing import erased
from tests.graph.telling import Teller, telling
from tests.identity.histories import some_act, some_decisions, some_message
from tests.serving import empty

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

FEW = settings(
    max_examples=max(3, settings.default.max_examples // 33),  # type: ignore[union-attr]  # a profile is loaded
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
LONG_AFTER = 2**60
# Identifiers are minted microseconds after the moment of their batch, which their message alone remembers.
MINTED = 1_000
MOVES = """
MATCH (i:Identifier)-[:IDENTIFIES]->(p:Profile)
RETURN i.mint AS mint, p.id AS place, COLLECT {
  MATCH (i)<-[moved:MOVED]-(change:Change) RETURN [change.at, change.id, moved.left, moved.joined]
} AS moves
"""
WHO = """
MATCH (p:Profile)<-[:IDENTIFIES]-(i:Identifier)
RETURN p {.*} AS profile, collect([i.key, i.mint]) AS identifiers
"""


@dataclass(frozen=True)
class Entry:
    """A person on a day. mints: of her identifiers, by their keys."""

    id: ProfileId
    mints: Mapping[IdentifierKey, str]
    shown: Mapping[str, object]


async def entries(teller: Teller) -> list[Entry]:
    rows = await teller.graph.reader.rows(WHO)
    return [Entry(row["profile"]["id"], dict(row["identifiers"]), row["profile"]) for row in rows]


def moment_of(batch: int) -> int:
    """The very moment at which a batch was recorded."""
    return micros(after(0).replace(year=2027, second=batch % 60, minute=batch // 60))


async def traits(teller: Teller, person: PastPerson, view: View) -> Mapping[str, object]:
    observed = await observations_then(teller.graph.reader, person.keys, view, Rules(teller.policy, teller.policy))
    return {name: value for name, value in shown_traits(observed, teller.policy).items() if value is not None}


@st.composite
def some_rich_history(draw: st.DrawFn) -> list[Message | Act]:
    """Many messages about few people, and acts of which some are taken back."""
    steps: list[Message | Act] = []
    for number in range(14):
        kind = draw(st.sampled_from(["message", "message", "act", "undo"]))
        acts = [each for each in steps if isinstance(each, Act)]
        if kind == "undo" and acts:
            taken = draw(st.sampled_from(acts))
            undo = act(ActKind.UNDO, taken.a, taken.b, at=number, id=f"undo {number:02d}", undoes=taken.id)
            steps.append(undo)
        elif kind == "act" and number > 3:
            steps.append(replace(draw(some_act()), at=micros(after(number)), id=ActId(f"act {number:02d}")))
        else:
            steps.append(draw(some_message()))
    return steps


@FEW
@given(some_rich_history())
async def test_as_of_each_step_everybody_is_who_they_were(graph: Connection, steps: list[Message | Act]) -> None:
    teller = await telling(graph)
    diary: dict[int, list[Entry]] = {}
    for step in steps:
        await teller.steps([step])
        diary[moment_of(teller.batches)] = await entries(teller)
    still = {mint: key for entry in await entries(teller) for key, mint in entry.mints.items()}
    yesterday: list[Entry] = []
    for moment, day in diary.items():
        # Of who stayed the same since the day before the first day is enough: each question is five statements.
        asked_for, yesterday = [entry for entry in day if entry not in yesterday], day
        for number, entry in enumerate(asked_for):
            asked = sorted(entry.mints.values())[(moment // 1_000_000 + number) % len(entry.mints)]
            person = await person_by_id(graph.reader, ProfileId(asked), View(as_of=moment), teller.policy)
            assert person is not None
            await _is_as_it_was(teller, person, entry, View(as_of=moment), still)


async def _is_as_it_was(
    teller: Teller, person: PastPerson, entry: Entry, view: View, still: Mapping[str, IdentifierKey]
) -> None:
    assert (person.id, {each.mint for each in person.identifiers}) == (entry.id, set(entry.mints.values()))
    assert person.shared == entry.shown["shared"]
    # A previousId that turned out to be a user id is one in the past, too.
    if all(still.get(mint) == key for key, mint in entry.mints.items()):
        assert person.known == entry.shown["known"]
    shown = {name: value for name, value in entry.shown.items() if name.startswith("t_")}
    assert await traits(teller, person, view) == shown


@FEW
@given(some_decisions(), st.permutations(range(16)))
async def test_whatever_the_clocks_say_the_log_has_the_moves_in_their_order(
    graph: Connection, steps: list[Message | Act], clocks: list[int]
) -> None:
    teller = await telling(graph)
    diary: dict[str, list[ProfileId]] = {}
    for step, clock in zip(steps, clocks, strict=False):
        teller.batches = clock
        await teller.steps([step])
        for row in await graph.reader.rows(MOVES):
            diary.setdefault(row["mint"], []).append(row["place"])
    for row in await graph.reader.rows(MOVES):
        moves = [Moving(*each) for each in row["moves"]]
        moments = [-1, *sorted(each.at for each in moves)]
        told = [place_at(row["place"], moves, moment) for moment in moments]
        assert told == [place for place, _ in groupby(diary[row["mint"]])]


async def test_who_is_parted_by_a_clock_that_runs_behind_stays_parted(graph: Connection) -> None:
    teller = await telling(graph)
    teller.batches = 10
    await teller.tell([track("a1")])
    teller.batches = 20
    await teller.tell([identify("u1", "a1", at=1)])
    teller.batches = 15
    await teller.decide(act(ActKind.DIFFERENT, "user_id:u1", "anonymous_id:a1", at=2))
    for view in (View(as_of=LONG_AFTER), View(effective_at=LONG_AFTER), View()):
        assert await with_whom(teller, "anonymous_id:a1", view) == {"anonymous_id:a1"}
    assert await with_whom(teller, "anonymous_id:a1", View(as_of=moment_of(21))) == {"anonymous_id:a1", "user_id:u1"}


async def with_whom(teller: Teller, key: str, view: View) -> set[str]:
    person = await person_by_key(teller.graph.reader, IdentifierKey(key), view, teller.policy)
    return {each.key for each in person.identifiers} if person else set()


async def test_an_unmerge_and_an_erasure_leave_the_past_whole(graph: Connection) -> None:
    teller = await telling(graph)
    await teller.tell([identify("u1", "a1"), identify("u1", "a2", at=1), identify("u1", "a3", at=2)])
    before = moment_of(teller.batches) + MINTED
    for other in ("user_id:u1", "anonymous_id:a1", "anonymous_id:a2"):
        await teller.decide(act(ActKind.DIFFERENT, "anonymous_id:a3", other, at=3))
    await erased(graph, "user_id:u1", scope=Scope.IDENTIFIER)
    left = {"anonymous_id:a1", "anonymous_id:a2", "anonymous_id:a3"}
    for key in sorted(left):
        assert await with_whom(teller, key, View(as_of=before)) == left


async def test_a_policy_that_blocks_what_tied_people_leaves_the_past_whole(graph: Connection) -> None:
    await empty(graph.writer)
    policy, at = written(default_policy()), after(0).replace(year=2027)
    await held_in(graph.reader, graph.writer, policy, micros(at))
    mints = minting()
    stale = [track(f"d{number}", user="abc123", at=number) for number in range(3)]
    await commit_batch(graph.writer, stale, policy, lambda: next(mints), at)
    blocking = written(replace(policy, blocked_values=policy.blocked_values | {"abc123"}))
    await apply(graph, blocking, Applier("ann", None, lambda: at + timedelta(minutes=1), lambda: next(mints)))
    view, left = View(as_of=micros(at)), {"anonymous_id:d0", "anonymous_id:d1", "anonymous_id:d2"}
    for key in sorted(left):
        person = await person_by_key(graph.reader, IdentifierKey(key), view, blocking)
        assert person is not None
        assert {each.key for each in person.identifiers} == left


def written(policy: Policy) -> Policy:
    """A policy as its text has it, which is what can be applied."""
    return policy_from_toml(policy_text(policy))
