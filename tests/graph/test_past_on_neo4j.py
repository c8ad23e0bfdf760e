"""What is asked of the past is what was answered then: a diary of random histories against the real Neo4j."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from itertools import groupby

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.account_decisions import decide_accounts
from graph.accounts import After
from graph.applying import Applier, apply
from graph.audit import Cause, CauseKind
from graph.belonging import memberships_of
from graph.connection import Connection
from graph.erasure import Request, Tools, erase
from graph.ingestion import commit_batch
from graph.manual_traits import clear_trait, set_by_hand, set_trait
from graph.past import PastPerson, View, person_by_id, person_by_key
from graph.past_hearing import Asked, Rules
from graph.past_memberships import memberships_then
from graph.past_traits import observations_then
from graph.pending import drain_pending
from graph.policies import PolicyHeld, held_in, policy_at
from graph.rebuild import rebuild
from graph.views import shown_traits
from identity.accounts import AccountAct, Belonging
from identity.erasure import Mode, Scope
from identity.evidence import Act, ActId, ActKind
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import AccountStatement, Message, MessageKind, micros
from identity.past import Moving, place_at
from identity.policy import Policy
from tests.building import act, after, default_policy, identify, message, minting, track
from tests.graph.erasing import HASHING, erased
from tests.graph.telling import Teller, telling, with_region_limit
from tests.graph.test_policy_changes import CHANGES, written
from tests.identity.histories import DEVICES, EMAILS, USERS, some_act, some_decisions, some_message
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
NEW = """
MATCH (x:Interaction)-[:BY]->(i:Identifier)
WHERE NOT x.id IN $known
RETURN x.id AS id, x.recorded_at AS recorded_at, COLLECT {
  MATCH (i)<-[:MOVED]-(change:Change) RETURN change.at
} AS moved
"""
# Who can be found in the past: a policy does away with nobody, an erasure does.
LEFT = "MATCH (i:Identifier|FormerId) WHERE i.key IS NOT NULL RETURN i.mint AS mint, i.key AS key"
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
    accounts: Sequence[tuple[str, Sequence[Belonging]]]


async def entries(teller: Teller) -> list[Entry]:
    reader = teller.graph.reader
    rows = await reader.rows(WHO)
    asked = [After(row["profile"]["id"]) for row in rows]
    accounts = await memberships_of(reader, asked, 100, ruling(teller).account_roles)
    return [
        Entry(
            id=row["profile"]["id"],
            mints=dict(row["identifiers"]),
            shown=row["profile"],
            accounts=[(each.account.key, each.history) for each in accounts.get(After(row["profile"]["id"]), ())],
        )
        for row in rows
    ]


def ruling(teller: Teller) -> Policy:
    return teller.policy.policy if isinstance(teller.policy, PolicyHeld) else teller.policy


def moment_of(batch: int) -> int:
    """The very moment at which a batch was recorded."""
    return micros(after(0).replace(year=2027, second=batch % 60, minute=batch // 60))


async def asked(teller: Teller, person: PastPerson, view: View) -> Asked:
    then = view.as_of and await policy_at(teller.graph.reader, view.as_of)
    return Asked(person.keys, view, Rules(ruling(teller), then or ruling(teller)))


async def traits(teller: Teller, person: PastPerson, view: View) -> Mapping[str, object]:
    of = await asked(teller, person, view)
    observed = (await observations_then(teller.graph.reader, [of]))[of]
    return {name: value for name, value in shown_traits(observed, of.rules.then).items() if value is not None}


async def accounts(teller: Teller, person: PastPerson, view: View) -> list[tuple[str, Sequence[Belonging]]]:
    of = await asked(teller, person, view)
    return list((await memberships_then(teller.graph.reader, [of]))[of].items())


@dataclass(frozen=True)
class ByHand:
    """A name is set by hand; an empty one is taken back."""

    key: str
    name: str


@dataclass(frozen=True)
class Erasing:
    """An identifier goes, alone or with the person that it is."""

    key: str
    scope: Scope


class Upkeep(Enum):
    """What is done without anybody's asking."""

    DRAIN = "drain"
    REBUILD = "rebuild"


@dataclass(frozen=True)
class Ruling:
    """Another policy comes into force."""

    name: str


Step = Message | Act | AccountAct | ByHand | Erasing | Upkeep | Ruling
NAMED = [":".join(each) for each in USERS[:2] + EMAILS[:1] + DEVICES[:2]]
ACCOUNTS = ["account:a", "account:b"]
HEARD_OTHERWISE = {"blocked values", "folded addresses"}
RULINGS = [*sorted(HEARD_OTHERWISE), "unique addresses", "first values", "sources by rank"]


async def take(teller: Teller, step: Step) -> None:
    graph = teller.graph
    if isinstance(step, Message | Act):
        await teller.steps([step])
        return
    at = teller.later()
    now = micros(at)
    match step:
        case AccountAct():
            await decide_accounts(graph.writer, replace(step, at=now), now)
        case ByHand(key, ""):
            await clear_trait(graph.writer, IdentifierKey(key), "name", ruling(teller), now, "ann")
        case ByHand(key, name):
            said = set_by_hand("name", name, str(teller.batches), now)
            await set_trait(graph.writer, IdentifierKey(key), said, ruling(teller), now, "ann")
        case Erasing(key, scope):
            tools = Tools(teller.policy, HASHING, now)
            await erase(graph, Request(IdentifierKey(key), Mode.DELETE, scope, "tests"), tools)
        case Ruling(name):
            candidate = written(CHANGES[name](ruling(teller)))
            await apply(graph, candidate, Applier("ann", "", lambda: at, lambda: next(teller.mints)))
            teller.policy.policy = candidate
        case Upkeep.DRAIN:
            await drain_pending(graph.writer, teller.policy, now)
        case Upkeep.REBUILD:
            await rebuild(graph.reader, graph.writer, ruling(teller), Cause(CauseKind.REBUILD), now)


# What happens in every history, in any order, and what may happen after it.
EARLY = [*["message"] * 5, *["group"] * 4, *["hand"] * 4, "act", "undo", "accounts"]
LATE = ["message", "group", "hand", "act", "undo", "erasure", "policy", *Upkeep]


@st.composite
def some_rich_history(draw: st.DrawFn) -> list[Step]:
    """Many messages about few people, what is done by hand and taken back; late erasures, upkeep, another policy."""
    steps: list[Step] = [message(MessageKind.IDENTIFY, [each], at=0.0) for each in USERS[:2]]
    kinds = [*draw(st.permutations(EARLY)), *draw(st.lists(st.sampled_from(LATE), min_size=4, max_size=4))]
    for number, kind in enumerate(kinds):
        steps.append(draw(some_step(kind, number, [*steps])))
    return steps


def some_step(kind: str | Upkeep, number: int, before: list[Step]) -> st.SearchStrategy[Step]:
    """A step of a kind. before: what can be taken back; where there is nothing of it, and besides, a message."""
    acts = [each for each in before if isinstance(each, Act)]
    ruled = any(isinstance(each, Ruling) for each in before)
    kinds: Mapping[str | Upkeep, st.SearchStrategy[Step]] = {
        "group": some_group(),
        "hand": some_by_hand(before),
        "act": some_act().map(lambda each: replace(each, at=micros(after(number)), id=ActId(f"act {number:02d}"))),
        "undo": st.sampled_from(acts).map(lambda taken: undoing(taken, number)) if acts else some_message(),
        "accounts": st.tuples(st.booleans(), st.permutations(ACCOUNTS)).map(
            lambda said: AccountAct(f"{number:02d}", said[0], *said[1], 0, "ann")
        ),
        "erasure": st.builds(Erasing, st.sampled_from(NAMED), st.sampled_from(Scope)),
        "policy": some_message() if ruled else st.builds(Ruling, st.sampled_from(RULINGS)),
        **{each: st.just(each) for each in Upkeep},
    }
    return kinds.get(kind, some_message())


def undoing(taken: Act, number: int) -> Act:
    return act(ActKind.UNDO, taken.a, taken.b, at=number, id=f"undo {number:02d}", undoes=taken.id)


@st.composite
def some_group(draw: st.DrawFn) -> Message:
    """One of two people belongs to an account, in a role that the policy does not rank."""
    said = AccountStatement(draw(st.sampled_from(ACCOUNTS)), role=draw(st.sampled_from(["buyer", "seller"])))
    at, name = float(draw(st.integers(0, 50))), str(draw(st.integers(0, 10**9)))
    return message(MessageKind.GROUP, [draw(st.sampled_from(USERS[:2]))], at=at, id=name, account=said)


@st.composite
def some_by_hand(draw: st.DrawFn, before: list[Step]) -> ByHand:
    """A name is set, or one of those set is taken back or set again."""
    names = [each for each in before if isinstance(each, ByHand) and each.name]
    if names and draw(st.booleans()):
        return replace(draw(st.sampled_from(names)), name=draw(st.sampled_from(["", "", "x"])))
    return ByHand(draw(st.sampled_from(NAMED)), draw(st.sampled_from("xy")))


@FEW
@given(some_rich_history(), st.sampled_from([5, 1_000]))
async def test_as_of_each_step_everybody_is_who_they_were(graph: Connection, steps: list[Step], limit: int) -> None:
    teller = await telling(graph, written(with_region_limit(limit)))
    teller.policy = await held_in(graph.reader, graph.writer, teller.policy, moment_of(0))
    diary: dict[int, list[Entry]] = {}
    heard_since = 0
    for step in steps:
        await take(teller, step)
        diary[moment_of(teller.batches)] = await entries(teller)
        if isinstance(step, Ruling) and step.name in HEARD_OTHERWISE:
            heard_since = moment_of(teller.batches)
    still = {row["mint"]: row["key"] for row in await graph.reader.rows(LEFT)}
    # Of a message that was erased nothing tells when it was recorded, and upkeep is many transactions.
    minted = MINTED if any(isinstance(step, Erasing | Upkeep | Ruling) for step in steps) else 0
    yesterday: list[Entry] = []
    for moment, day in diary.items():
        # Of who stayed the same since the day before the first day is enough: each question is nine statements.
        asked_for, yesterday = [entry for entry in day if entry not in yesterday], day
        for number, entry in enumerate(asked_for):
            if left := sorted(still.keys() & set(entry.mints.values())):
                view, mint = View(as_of=moment + minted), left[(moment // 1_000_000 + number) % len(left)]
                person = await person_by_id(graph.reader, ProfileId(mint), view, ruling(teller))
                assert person is not None
                assert (person.id, {each.mint for each in person.identifiers}) == (entry.id, set(left))
                if len(left) == len(entry.mints):  # what the erased said of her is gone with them
                    await _is_as_it_was(teller, person, entry, view, still)
                    if moment >= heard_since:  # what was said is heard as the policy of today hears it
                        await _shows_what_it_showed(teller, person, entry, view)


async def _is_as_it_was(
    teller: Teller, person: PastPerson, entry: Entry, view: View, still: Mapping[str, IdentifierKey]
) -> None:
    assert person.shared == entry.shown["shared"]
    # A previousId that turned out to be a user id is one in the past, too.
    if all(still.get(mint) == key for key, mint in entry.mints.items()):
        assert person.known == entry.shown["known"]


async def _shows_what_it_showed(teller: Teller, person: PastPerson, entry: Entry, view: View) -> None:
    shown = {name: value for name, value in entry.shown.items() if name.startswith("t_")}
    assert await traits(teller, person, view) == shown
    assert await accounts(teller, person, view) == entry.accounts


@FEW
@given(some_decisions(), st.permutations(range(16)))
async def test_whatever_the_clocks_say_the_log_has_the_moves_in_their_order_and_no_message_before_them(
    graph: Connection, steps: list[Message | Act], clocks: list[int]
) -> None:
    teller = await telling(graph)
    diary: dict[str, list[ProfileId]] = {}
    known: list[str] = []
    for step, clock in zip(steps, clocks, strict=False):
        teller.batches = clock
        await teller.steps([step])
        for row in await graph.reader.rows(NEW, known=known):
            assert row["recorded_at"] >= max(row["moved"], default=0)
            known.append(row["id"])
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


async def test_what_a_clock_that_runs_behind_makes_known_is_known_after_what_it_follows_and_with_what_it_does(
    graph: Connection,
) -> None:
    teller = await telling(graph)
    teller.batches = 10
    await teller.tell([track("a1"), track("a2")])
    teller.batches = 20
    await teller.tell([identify("u1", "a1", at=1)])
    teller.batches = 15
    await teller.tell([track("a1", at=2, id="after"), identify("u1", "a2", at=3, id="merging")])
    rows = await graph.reader.rows(NEW, known=["web:merging"])
    assert {row["id"]: row["recorded_at"] for row in rows}["web:after"] > moment_of(21)
    (own,) = [row for row in await graph.reader.rows(NEW, known=[]) if row["id"] == "web:merging"]
    (merge,) = await graph.reader.rows("MATCH (c:Change {kind: 'merged'}) RETURN max(c.at) AS at")
    assert own["recorded_at"] == merge["at"]
    assert await with_whom(teller, "anonymous_id:a2", View(as_of=moment_of(16))) == {"anonymous_id:a2"}


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
        assert {each.key for each in person.identifiers} == left | {"user_id:abc123"}
