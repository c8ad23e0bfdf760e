"""A policy that is applied gives what was simulated, and what there would be had it always been in force."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import applying, simulating
from graph.applying import Applier, abandon, apply, finish_application
from graph.connection import WRITES, Connection
from graph.errors import ErasuresOpenError, PolicyApplyingError, PolicyWrittenError, TransactionsOpenError
from graph.ingestion import Status
from graph.namespaces import declare
from graph.policies import PolicyHeld, State, held_in, versions_of
from graph.rebuild import verify
from graph.segments import define_segment, memberships_in, stored_segments
from graph.simulating import simulate
from identity.errors import PolicyInvalidError
from identity.evidence import Act
from identity.identifiers import Identifier, IdentifierKey, normalise
from identity.messages import AccountStatement, Authority, Message, MessageKind, micros
from identity.policy import DeviceRule, KindRules, Normaliser, OverActive, Policy, Shared, Strategy
from identity.policy_text import policy_from_toml
from identity.policy_writing import policy_text
from identity.simulation import Simulation
from insight.segments import Between, Comparison, Counted, TraitIs
from tests.building import RECEIVED, after, default_policy, identify, message, minting, track
from tests.graph.telling import Seen, Teller, telling
from tests.graph.test_any_order_on_neo4j import FEW
from tests.identity.histories import some_steps
from tests.identity.policies import CRM, small_policy

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

NOW = micros(RECEIVED)
LATER = micros(after(300_000))


def written(policy: Policy) -> Policy:
    """A policy as it is when its text is read again."""
    namespaces = policy.namespaces.items()
    own = {
        name: each if each.over_active is OverActive.APART else replace(each, active=None, active_days=None)
        for name, each in namespaces
        if name != "crm"
    }
    return policy_from_toml(policy_text(replace(policy, namespaces=own)))


def with_email(**rules: object) -> Callable[[Policy], Policy]:
    def changed(policy: Policy) -> Policy:
        email = replace(policy.namespaces["email"], **rules)  # type: ignore[arg-type]  # names of fields
        return replace(policy, namespaces={**policy.namespaces, "email": email})

    return changed


def with_users(**rules: object) -> Callable[[Policy], Policy]:
    def changed(policy: Policy) -> Policy:
        users = replace(policy.namespaces["user_id"], **rules)  # type: ignore[arg-type]  # names of fields
        return replace(policy, namespaces={**policy.namespaces, "user_id": users})

    return changed


def with_phones(**rules: object) -> Callable[[Policy], Policy]:
    def changed(policy: Policy) -> Policy:
        phone = replace(policy.namespaces["phone"], **rules)  # type: ignore[arg-type]  # names of fields
        return replace(policy, namespaces={**policy.namespaces, "phone": phone})

    return changed


def with_traits(policy: Policy) -> Policy:
    first = {name: replace(each, strategy=Strategy.FIRST) for name, each in policy.traits.items() if name != "email"}
    return replace(policy, traits=first)


CHANGES: Mapping[str, Callable[[Policy], Policy]] = {
    "smaller people": lambda policy: replace(policy, profile_limit=3),
    "unique addresses": with_email(unique=True, generic_above=None),
    "addresses for families": with_email(generic_above=3),
    "blocked values": lambda policy: replace(
        policy, blocked_values=policy.blocked_values | {"u0", "a1", "l.ee@gmail.com"}
    ),
    "short messages": lambda policy: replace(policy, links_per_message=2),
    "addresses as they are": with_email(normaliser=Normaliser.TEXT),
    "folded addresses": with_email(normaliser=Normaliser.EMAIL_FOLDED),
    "folded addresses of one person": with_email(normaliser=Normaliser.EMAIL_FOLDED, unique=True, generic_above=None),
    "weak addresses": with_email(priority=9),
    "one address to a person": with_email(active=1, over_active=OverActive.APART),
    "phones by time": with_phones(shared=Shared.BY_TIME, max_partners=2),
    "the last login": lambda policy: replace(policy, device_rule=DeviceRule.LAST_AUTHENTICATED),
    "the first login": lambda policy: replace(policy, device_rule=DeviceRule.FIRST_ONLY),
    "sources by rank": lambda policy: replace(policy, source_rank=("crm", "web")),
    "addresses by time no more": with_email(shared=Shared.OWN),
    "no guesses": lambda policy: replace(policy, device_rule=DeviceRule.NEVER_GUESS),
    "first values": with_traits,
    "verified only": lambda policy: replace(policy, kinds={"cooccur": KindRules(minimum_authority=Authority.VERIFIED)}),
    "imported aliases": lambda policy: replace(
        policy, kinds={"alias": KindRules(minimum_authority=Authority.IMPORTED)}
    ),
    "aliases rename": lambda policy: replace(policy, kinds={"alias": KindRules(overrides_from=Authority.CLAIMED)}),
    "no aliases": lambda policy: replace(policy, kinds={"alias": KindRules(links=False)}),
}


class StoppedError(BaseException):
    """As if the process had been killed: nothing that heeds errors heeds it."""


@dataclass
class Change:
    """A teller whose graph has a version of the policy in force, and what is applied to it."""

    teller: Teller

    @property
    def graph(self) -> Connection:
        return self.teller.graph

    def applier(self, calls: int = 10**6) -> Applier:
        """Somebody whose clock and mint answer so many calls; at the next one the process dies."""
        mints, left = minting(), iter(range(calls))

        def alive() -> None:
            if next(left, None) is None:
                raise StoppedError

        def now() -> datetime:
            alive()
            return after(300_000)

        def mint() -> str:
            alive()
            return f"new-{next(mints)}"

        return Applier("ann", "a try", now, mint)

    async def simulated(self, candidate: Policy) -> Simulation:
        assert isinstance(self.teller.policy, PolicyHeld)
        return (await simulate(self.graph.reader, self.teller.policy.policy, candidate, LATER)).report

    async def stopped(self, candidate: Policy, calls: int) -> bool:
        """Begin to apply, and die on the way if it takes more calls; whether it did."""
        try:
            await apply(self.graph, candidate, self.applier(calls))
        except StoppedError:
            return True
        return False

    async def decided(self, steps: list[Message | Act]) -> list[Act]:
        """The acts among the steps that were committed."""
        rows = await self.graph.reader.rows("MATCH (x:Act) RETURN collect(x.id) AS ids")
        acts = {each.id: each for each in steps if isinstance(each, Act)}
        return [acts[id_] for id_ in sorted(rows[0]["ids"])]

    async def people(self) -> list[str]:
        rows = await self.graph.reader.rows("MATCH (p:Profile) WHERE NOT p.shared RETURN p.id AS id ORDER BY id")
        return [row["id"] for row in rows]

    async def count(self, pattern: str) -> int:
        (row,) = await self.graph.reader.rows(f"MATCH {pattern} RETURN count(*) AS many")
        return int(row["many"])


async def changing(graph: Connection, policy: Policy | None = None) -> Change:
    """A graph without data in which a policy is in force, the small one by default."""
    teller = await telling(graph, policy or written(small_policy()))
    teller.policy = await held_in(graph.reader, graph.writer, policy or written(small_policy()), NOW)
    return Change(teller)


async def seen(graph: Connection, policy: Policy) -> Seen:
    return await Teller(graph, policy).seen()


SPELLINGS = {
    "e0@x.com": ("lee@gmail.com", "l.ee@gmail.com", "Lee@gmail.com"),
    "e1@x.com": ("LEE+news@gmail.com", "le.e@gmail.com", "lee+news@gmail.com"),
    "e2@x.com": ("e2@x.com", "E2@x.com", "e2@x.com"),
}


def respelt(step: Message | Act, number: int) -> Message | Act:
    """A step whose addresses are spelt so that policies disagree on them; acts name them as the small policy does."""
    if isinstance(step, Message):
        spelt = [replace(each, value=_spelt(each.value, number)) for each in step.sightings]
        return replace(step, sightings=tuple(spelt))
    a, b = (under(_spelt(end, number), small_policy()) for end in (step.a, step.b))
    return replace(step, a=a, b=b)


def _spelt(value: str, number: int) -> str:
    namespace, colon, name = value.rpartition(":")
    return namespace + colon + SPELLINGS[name][number % 3] if name in SPELLINGS else value


def under(key: str, policy: Policy) -> IdentifierKey:
    namespace, _, value = key.partition(":")
    read = normalise(namespace, value, policy)
    return read.key if isinstance(read, Identifier) else IdentifierKey(key)


def named_anew(act: Act, messages: list[Message], candidate: Policy) -> Act:
    """An act as one who knows all messages would decide it under another policy."""
    return replace(act, a=_named_anew(act.a, messages, candidate), b=_named_anew(act.b, messages, candidate))


def _named_anew(key: IdentifierKey, messages: list[Message], candidate: Policy) -> IdentifierKey:
    raw = {f"{each.namespace}:{each.value}" for one in messages for each in one.sightings}
    now = {key if each == key else under(each, candidate) for each in raw if under(each, small_policy()) == key}
    named = under(key, candidate)
    return named if named in now or not now else min(now)


some_spelt_steps = some_steps.map(lambda steps: [respelt(each, number) for number, each in enumerate(steps)])


@FEW
@given(some_spelt_steps, st.sampled_from(list(CHANGES)), st.integers(1, 9))
async def test_applying_gives_what_was_simulated_and_what_there_would_have_been_also_when_it_is_killed_on_the_way(
    graph: Connection, steps: list[Message | Act], name: str, calls: int
) -> None:
    change = await changing(graph)
    await change.teller.steps(steps)
    candidate = written(CHANGES[name](small_policy()))
    decided = await change.decided(steps)
    report, before = await change.simulated(candidate), await change.people()
    if await change.stopped(candidate, calls):
        with pytest.raises(PolicyApplyingError):
            await change.teller.tell([identify("u9", "a9")])
        await apply(graph, candidate, change.applier())
    assert (report.people_before, report.people_after) == (len(before), len(await change.people()))
    assert await verify(graph.reader, candidate) == ()
    found = await seen(graph, candidate)
    other = await telling(graph, candidate)
    messages = [each for each in steps if isinstance(each, Message)]
    await other.steps([*messages, *(named_anew(each, messages, candidate) for each in decided)])
    assert found == await seen(graph, candidate)


def households() -> list[Message]:
    """Three people with an address of their own and a shared one, what they bought, and a tablet of two."""
    people = [
        identify(f"u{number}", f"a{number}", at=number, email=f"e{number}@x.com", traits={"name": f"N{number}"})
        for number in range(3)
    ]
    shared = [identify(f"u{number}", at=10 + number, email="home@x.com") for number in range(2)]
    bought = [track(f"a{number}", at=20 + number, name="Order Completed") for number in range(2)]
    tablet = [identify(f"u{number}", "tablet", at=30 + number) for number in range(2)]
    return [*people, *shared, *bought, *tablet, track("tablet", at=30.5, name="Order Completed")]


BUYERS = Counted(Between(), name="Order Completed", at_least=3)
NAMED = TraitIs("name", Comparison.EXISTS, True)


async def members(graph: Connection, name: str) -> set[str]:
    segment = next(each for each in await stored_segments(graph.reader) if each.name == name)
    assert segment.definition is not None
    ids = [row["id"] for row in await graph.reader.rows("MATCH (p:Profile) RETURN p.id AS id")]
    found = await memberships_in(graph.reader, ids, {name: segment.definition}, default_policy().traits, LATER)
    return {id_ for id_, names in found.items() if names}


async def test_a_report_says_who_merges_which_links_turn_what_is_shown_and_who_enters_and_leaves(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = await changing(graph, default_policy())
    await change.teller.tell(households())
    for name, definition in {"buyers": BUYERS, "named": NAMED}.items():
        await define_segment(graph.writer, name, definition, NOW)
    before = {name: await members(graph, name) for name in ("buyers", "named")}
    candidate = written(with_users(unique=False)(default_policy()))
    report = await change.simulated(candidate)
    assert (report.people_before, report.people_after, report.merges, report.splits) == (3, 2, 1, 0)
    (merge,) = report.largest_merges
    assert (len(merge.before), merge.identifiers, merge.keys[0]) == (2, 8, "anonymous_id:a0")
    assert {(each.before, each.after) for each in report.generic_turned} == {("values", None)}
    assert {(each.before, each.after) for each in report.links_turned} == {("generic", None)}
    assert report.traits == 1
    with monkeypatch.context() as patched:
        patched.setattr(simulating, "MOST_AFFECTED", 0)
        capped = await change.simulated(candidate)
    assert capped.notes == ("1 people are affected; what they show and their segments are told up to 0",)
    assert (capped.traits, {each.note for each in capped.segments}) == (None, {"too many people are affected"})
    applied = await apply(graph, candidate, change.applier())
    for each in report.segments:
        now = await members(graph, each.name)
        assert (each.before, each.after) == (len(before[each.name]), len(now)), each
        assert (set(each.enter), set(each.leave)) == (now - before[each.name], before[each.name] - now), each
    assert {each.name: (each.entering, each.leaving) for each in report.segments} == {"buyers": (1, 0), "named": (0, 1)}
    assert "home@x.com" not in str(applied.report)


async def test_history_names_each_version_and_the_log_the_change(graph: Connection) -> None:
    change = await changing(graph)
    await change.teller.tell(households())
    candidate = written(CHANGES["addresses for families"](small_policy()))
    assert (await apply(graph, candidate, change.applier())).number == 2
    first, second = await versions_of(graph.reader)
    assert (first.state, second.state, second.by, second.note) == (State.PAST, State.IN_FORCE, "ann", "a try")
    assert first.past_at == second.in_force_at
    (row,) = await graph.reader.rows("MATCH (c:Change {kind: 'policy'}) RETURN c.by AS by, c.number AS number")
    assert (row["by"], row["number"]) == ("ann", 2)


MEMBERSHIPS = """
MATCH (i:Identifier)-[m:MEMBER_OF]->(:Account)
RETURN i.value AS value, m.from AS start, m.last_seen AS last, m.recorded_at AS recorded_at,
  m.last_recorded_at AS last_recorded_at
"""


async def test_a_membership_that_moves_keeps_when_it_was_said_and_when_it_became_known(graph: Connection) -> None:
    change = await changing(graph)
    said = AccountStatement("account:acme", {}, member=True)
    for number in range(2):
        words = message(MessageKind.GROUP, [("email", "Ann@x.com")], at=number, id=f"group {number}", source="crm")
        await change.teller.tell([replace(words, account=said)])
    (before,) = await graph.reader.rows(MEMBERSHIPS)
    await apply(graph, written(CHANGES["addresses as they are"](small_policy())), change.applier())
    assert await graph.reader.rows(MEMBERSHIPS) == [{**before, "value": "Ann@x.com"}]
    assert (before["value"], before["last"] - before["start"]) == ("ann@x.com", 60_000_000)
    assert before["last_recorded_at"] - before["recorded_at"] == 1_000_000


async def test_the_policy_in_force_changes_nothing_and_two_at_once_are_refused(graph: Connection) -> None:
    change = await changing(graph)
    assert (await apply(graph, written(small_policy()), change.applier())).report is None
    assert await change.stopped(written(CHANGES["smaller people"](small_policy())), 1)
    with pytest.raises(PolicyApplyingError, match="version 2 of the policy is being applied by ann"):
        await apply(graph, written(CHANGES["no guesses"](small_policy())), change.applier())
    assert (await apply(graph, None, change.applier())).resumed
    assert [each.state for each in await versions_of(graph.reader)] == [State.PAST, State.IN_FORCE]


async def test_a_policy_that_contradicts_a_source_is_refused_and_nothing_is_written(graph: Connection) -> None:
    change = await changing(graph)
    namespaces = {**small_policy().namespaces, "crm": replace(CRM, unique=False, generic_above=None)}
    candidate = policy_from_toml(policy_text(replace(small_policy(), namespaces=namespaces, profile_limit=1_000)))
    with pytest.raises(PolicyInvalidError, match=r"`namespaces\.crm\.unique`: a source's mapping"):
        await apply(graph, candidate, change.applier())
    assert await change.count("(v:PolicyVersion)") == 1


async def test_what_a_policy_removed_keeps_no_message_out_where_nobody_has_a_key_of_erasures(graph: Connection) -> None:
    change = await changing(graph)
    await change.teller.tell([identify("u0", "a1")])
    candidate = written(CHANGES["blocked values"](small_policy()))
    await apply(graph, candidate, change.applier())
    assert (await change.count("(:FormerId)"), await change.count("(:Erased)")) == (2, 0)
    (outcome,) = await change.teller.tell([identify("u0", "a2", id="later")])
    assert outcome.status is Status.COMMITTED
    assert await verify(graph.reader, candidate) == ()


async def test_what_comes_while_a_policy_is_applied_is_kept_once_when_it_is_sent_again(graph: Connection) -> None:
    change = await changing(graph)
    messages = households()
    await change.teller.tell(messages[:4])
    candidate = written(CHANGES["blocked values"](small_policy()))

    async def send(each: Message) -> None:
        with anyio.fail_after(60):
            while True:
                try:
                    await change.teller.tell([each])
                except PolicyApplyingError:
                    await anyio.sleep(0.02)
                else:
                    return

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(apply, graph, candidate, change.applier())
        for each in messages[4:]:
            tasks.start_soon(send, each)
    assert await verify(graph.reader, candidate) == ()
    found = await seen(graph, candidate)
    other = await telling(graph, candidate)
    await other.tell(messages)
    assert found == await seen(graph, candidate)


async def opened(graph: Connection, exits: AsyncExitStack, **metadata: str) -> None:
    """A transaction of somebody else that stays open."""
    session = await exits.enter_async_context(graph.driver.session(database=graph.writer.database))
    held = await session.begin_transaction(metadata=metadata)
    exits.push_async_callback(held.close)
    await (await held.run("RETURN 1")).consume()


async def test_what_goes_wrong_before_anything_is_written_leaves_no_version_behind_and_writers_go_on(
    graph: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "OVER_SECONDS", 0.2)
    change, candidate = await changing(graph), written(CHANGES["smaller people"](small_policy()))
    await graph.writer.command("CREATE (:Erasure {id: 'e', touched_at: 0})")
    with pytest.raises(ErasuresOpenError):
        await apply(graph, candidate, change.applier())
    await graph.writer.command("MATCH (e:Erasure) DELETE e")
    async with AsyncExitStack() as exits:
        await opened(graph, exits, **WRITES)
        with pytest.raises(TransactionsOpenError):
            await apply(graph, candidate, change.applier())
    assert await change.count("(v:PolicyVersion)") == 1
    await change.teller.tell([identify("u1", "a1")])
    async with AsyncExitStack() as exits:
        await opened(graph, exits)
        assert (await apply(graph, candidate, change.applier())).number == 2


async def test_an_interrupted_application_is_abandoned_while_nothing_is_written_and_finished_by_who_finds_it(
    graph: Connection,
) -> None:
    change, candidate = await changing(graph), written(CHANGES["smaller people"](small_policy()))
    finisher = change.applier()
    assert await abandon(graph) is None
    assert await change.stopped(candidate, 1)
    with pytest.raises(PolicyApplyingError):
        await declare(graph.writer, [replace(CRM, name="shop")], "another source")
    async with AsyncExitStack() as exits:
        await opened(graph, exits, applying="somebody")
        assert await finish_application(graph, finisher.now, finisher.mint) is None
        with pytest.raises(PolicyApplyingError):
            await abandon(graph)
    assert await abandon(graph) == 2
    assert await finish_application(graph, finisher.now, finisher.mint) is None
    assert await change.stopped(written(CHANGES["no guesses"](small_policy())), 2)
    with pytest.raises(PolicyWrittenError):
        await abandon(graph)
    done = await finish_application(graph, finisher.now, finisher.mint)
    assert done is not None
    assert (done.number, done.resumed) == (2, True)
    (row,) = await graph.reader.rows("MATCH (c:Change {kind: 'policy'}) RETURN c.by AS by")
    assert row["by"] == "ann"
