"""Everything that can happen to one graph, in any order: messages, decisions, erasures, policies, restarts.

After each step every id ever handed out says whose it is or that it was erased, a preview was what came of it, and what
is stored is what follows from the evidence, unless something waits for the background: then it is once that is done.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from graph.account_decisions import decide_accounts
from graph.applying import HALF, Applier, apply
from graph.connection import Connection, connected
from graph.decisions import Outcome
from graph.erasure import Request, Tools, erase, unsuppressed
from graph.errors import DecisionError, PolicyApplyingError, UnknownIdentifierError
from graph.former_ids import former_ids
from graph.ingestion import commit_batch
from graph.merging import Answer, Asked, merge_people, take_out, undo_decision, unmerge_people
from graph.namespaces import declare
from graph.past import View, person_by_id
from graph.pending import drain_pending
from graph.policies import PolicyHeld, held_in
from graph.profiles import profiles_by_id
from graph.rebuild import verify
from graph.simulating import simulate
from identity.accounts import AccountAct
from identity.erasure import Mode, Named, Scope, named
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import AccountStatement, Message, micros
from identity.policy import Policy
from tests.building import after, identify, minting
from tests.graph.erasing import HASHING
from tests.graph.telling import DATA_OF_TESTS
from tests.graph.test_policy_changes import CHANGES, written
from tests.identity.histories import CONTACTS, DEVICES, EMAILS, USERS, some_message
from tests.identity.policies import CRM, small_policy
from tests.serving import Neo4jAddress, empty

T = TypeVar("T")

SOMEBODY = identify("u9", "a9")
DAY = 24 * 60  # minutes: all that a history tells happened before, but for what is told as it happens
some_key = st.sampled_from([IdentifierKey(":".join(each)) for each in USERS + CONTACTS + EMAILS[:2] + DEVICES[:3]])
some_account = st.sampled_from(["account:acme", "account:acme-inc", "account:globex", "account:e0@x.com"])
EVERYBODY = """
MATCH (p:Profile)<-[:IDENTIFIES]-(i:Identifier)
RETURN p.id AS id, p.shared AS shared, collect(i.mint) AS mints
"""
NAMED_AFTER = "UNWIND $keys AS key MATCH (a:Account {key: replace(key, 'email:', 'account:')}) RETURN a.key AS key"
DECISIONS = "MATCH (x:Act) RETURN DISTINCT x.decision AS decision ORDER BY decision"
PENDING = "MATCH (i:Identifier {pending: true}) RETURN count(i) AS many"
POLICIES: dict[str, Callable[[Policy], Policy]] = {
    **CHANGES,
    "as it was": lambda policy: policy,
    "small regions": lambda policy: replace(policy, profile_limit=3, region_limit=3),
    "replays come back": lambda policy: replace(policy, replay_stays_out=False),
}


@st.composite
def some_told(draw: st.DrawFn) -> Message:
    """A message, late or told as it happens; some name an organisation."""
    told = draw(some_message())
    if draw(st.integers(0, 5)) == 0:
        told = replace(told, account=AccountStatement(draw(some_account), parent=draw(st.none() | some_account)))
    return told


class EverythingThatCanHappen(RuleBasedStateMachine):
    """One graph, the process that holds it, and whoever sends to it or decides. Each step is ten minutes later."""

    def __init__(self, runner: asyncio.Runner, address: Neo4jAddress) -> None:
        super().__init__()
        self.runner, self.address = runner, address
        self.minute = float(DAY)
        self.mints = minting()
        self.handed_out: set[ProfileId] = set()
        self.told: list[Message] = []
        self.diary: dict[int, list[set[str]]] = {}
        self.way = connected(address.uri, address.user, address.password)
        self.graph: Connection = self.run(self.way.__aenter__())

    def run(self, work: Coroutine[object, object, T]) -> T:
        return self.runner.run(work)

    @initialize(small_regions=st.booleans(), messages=st.lists(some_told(), min_size=4, max_size=12))
    def begin(self, small_regions: bool, messages: list[Message]) -> None:
        self.run(empty(self.graph.writer, DATA_OF_TESTS))
        self.run(declare(self.graph.writer, [CRM], "crm"))
        self.configured = written(POLICIES["small regions" if small_regions else "as it was"](small_policy()))
        self.held = self.run(held_in(self.graph.reader, self.graph.writer, self.configured, micros(after(0))))
        self.tell_all(messages, as_it_happens=False)

    def teardown(self) -> None:
        if hasattr(self, "held"):
            self.drain()
            self.nothing_differs()
            self.everybody_was_who_they_were()
        self.run(self.way.__aexit__(None, None, None))

    # Time, and whoever asks

    def now(self) -> datetime:
        self.minute += 10
        return after(self.minute)

    def mint(self) -> str:
        return next(self.mints)

    def asked(self, now: datetime, *, dry: bool) -> Asked:
        return Asked("tests", self.mint, micros(now), dry=dry)

    def previewed(self, decide: Callable[[Asked], Coroutine[object, object, Answer]]) -> None:
        """Decide after a preview, which said the same, and wrote nothing."""
        now = self.now()
        answers: list[object] = []
        for dry in (True, False):
            try:
                answer = self.run(decide(self.asked(now, dry=dry)))
            except (UnknownIdentifierError, DecisionError) as error:
                answers.append((type(error), str(error)))
            else:
                answers.append(replace(answer, decision="") if isinstance(answer, Outcome) else answer)
            if dry:
                self.nothing_differs()
        assert answers[0] == answers[1]

    # What can happen

    @rule(messages=st.lists(some_told(), min_size=1, max_size=5), as_it_happens=st.booleans())
    def tell(self, messages: list[Message], as_it_happens: bool) -> None:
        self.tell_all(messages, as_it_happens=as_it_happens)

    @rule(message=some_told(), as_it_happens=st.booleans())
    def tell_one(self, message: Message, as_it_happens: bool) -> None:
        self.tell_all([message], as_it_happens=as_it_happens)

    def tell_all(self, messages: list[Message], *, as_it_happens: bool) -> None:
        now = self.now()
        told = [_received(each, now, as_it_happens) for each in messages]
        self.told += told
        self.committed(told, now)

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def tell_again(self, data: st.DataObject) -> None:
        some = data.draw(st.lists(st.sampled_from(range(len(self.told))), min_size=1, max_size=3, unique=True))
        self.committed([self.told[number] for number in some], self.now())

    def committed(self, messages: list[Message], now: datetime) -> None:
        self.run(commit_batch(self.graph.writer, messages, self.held, self.mint, now, hashing=HASHING))

    @rule(a=some_key, b=some_key, override=st.booleans())
    def merge(self, a: IdentifierKey, b: IdentifierKey, override: bool) -> None:
        self.previewed(lambda asked: merge_people(self.graph.writer, a, b, asked, self.held, override=override))

    @rule(a=some_key, b=some_key)
    def unmerge(self, a: IdentifierKey, b: IdentifierKey) -> None:
        self.previewed(lambda asked: unmerge_people(self.graph.writer, a, b, asked, self.held))

    @rule(keys=st.lists(some_key, min_size=1, max_size=2, unique=True))
    def take_out(self, keys: list[IdentifierKey]) -> None:
        self.previewed(lambda asked: take_out(self.graph.writer, keys, asked, self.held))

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        rows = self.run(self.graph.reader.rows(DECISIONS))
        if rows:
            decision = data.draw(st.sampled_from([row["decision"] for row in rows]))
            self.previewed(lambda asked: undo_decision(self.graph.writer, decision, asked, self.held))

    @rule(one=some_account, other=some_account, same=st.booleans())
    def decide_accounts(self, one: str, other: str, same: bool) -> None:
        now = micros(self.now())
        made = AccountAct(self.mint(), same, one, other, now, "tests")
        tried = self.run(decide_accounts(self.graph.writer, made, now, dry_run=True))
        self.nothing_differs()
        assert self.run(decide_accounts(self.graph.writer, made, now)) == tried

    @rule(
        key=some_key,
        mode=st.sampled_from(Mode),
        scope=st.sampled_from(Scope),
        at_once=st.sampled_from([1, 1_000, 1_000]),
    )
    def erase(self, key: IdentifierKey, mode: Mode, scope: Scope, at_once: int) -> None:
        tools = Tools(self.held, HASHING, micros(self.now()), at_once)
        request = Request(key, mode, scope, "tests")
        tried = self.run(erase(self.graph, request, tools, dry=True))
        self.nothing_differs()
        done = self.run(erase(self.graph, request, tools))
        if at_once > 1:
            assert done == tried
        assert done.identifiers == tried.identifiers
        rows = self.run(self.graph.reader.rows(NAMED_AFTER, keys=[key for key, _ in done.identifiers]))
        assert rows == []

    @rule(key=some_key)
    def unsuppress(self, key: IdentifierKey) -> None:
        namespace, _, value = key.partition(":")
        asked = named(namespace, value, self.in_force())
        if isinstance(asked, Named):
            self.run(unsuppressed(self.graph, [asked], HASHING, "tests", micros(self.now())))

    @rule(name=st.sampled_from(sorted(POLICIES)), killed_after=st.none() | st.integers(1, 9))
    def apply(self, name: str, killed_after: int | None) -> None:
        candidate, now = written(POLICIES[name](small_policy())), self.now()
        report = self.run(simulate(self.graph.reader, self.in_force(), candidate, micros(now))).report
        self.nothing_differs()
        if killed_after is not None and self.killed(candidate, now, killed_after):
            self.restart()
            self.run(apply(self.graph, candidate, self.applier(now)))
        elif killed_after is None:
            self.run(apply(self.graph, candidate, self.applier(now)))
        self.drain()
        people = [row for row in self.run(self.graph.reader.rows(EVERYBODY)) if not row["shared"]]
        assert report.people_after == len(people)

    def killed(self, candidate: Policy, now: datetime, calls: int) -> bool:
        """Begin to apply, and die on the way if it takes more calls of the clock or the mint; whether it did.

        Who dies before the report is kept has not begun to write, and all is as if nobody had tried.
        """
        try:
            self.run(apply(self.graph, candidate, self.applier(now, calls)))
        except KilledError:
            if self.run(self.graph.reader.rows(HALF)):
                with pytest.raises(PolicyApplyingError):
                    self.committed([replace(SOMEBODY, message_id=self.mint())], now)
            else:
                self.nothing_differs()
            return True
        return False

    def applier(self, now: datetime, calls: int = 10**6) -> Applier:
        """Somebody whose clock and mint answer so many calls; at the next one the process dies."""
        left = iter(range(calls))

        def alive() -> None:
            if next(left, None) is None:
                raise KilledError

        def clock() -> datetime:
            alive()
            return now

        def mint() -> str:
            alive()
            return self.mint()

        return Applier("tests", "", clock, mint)

    @rule()
    def restart(self) -> None:
        """As another process begins: a new connection, and the policy that its files say.

        Neo4j itself runs on; kills of it and of a service are in tests/walks/test_kills.py, of an application between
        its transactions in test_killed_applications.py.
        """
        self.run(self.way.__aexit__(None, None, None))
        self.way = connected(self.address.uri, self.address.user, self.address.password)
        self.graph = self.run(self.way.__aenter__())
        self.held = PolicyHeld(self.configured)

    @rule()
    def drain(self) -> None:
        self.run(drain_pending(self.graph.writer, self.held, micros(self.now())))

    # What always holds

    def in_force(self) -> Policy:
        """What the graph itself says, whatever this process believes."""
        return self.run(held_in(self.graph.reader, self.graph.writer, self.configured, 0)).policy

    @invariant()
    def nothing_differs(self) -> None:
        """What is stored follows from the evidence, asked after each step while nothing waits for the background.

        Where a region waits, which only small regions do, nothing is compared, the rest of the graph neither, until
        the step `drain`, the next applied policy or the end of the history, where all is drained first.
        """
        if not hasattr(self, "held") or self.run(self.graph.reader.rows(PENDING))[0]["many"]:
            return
        found = self.run(verify(self.graph.reader, self.in_force()))
        assert not found, found

    @invariant()
    def every_id_says_whose_it_is(self) -> None:
        if not hasattr(self, "held"):
            return
        rows = self.run(self.graph.reader.rows(EVERYBODY))
        people = {ProfileId(row["id"]) for row in rows}
        self.handed_out |= people
        self.diary[micros(after(self.minute)) + 1_000_000] = [set(row["mints"]) for row in rows]
        found = self.run(profiles_by_id(self.graph.reader, sorted(self.handed_out)))
        others = sorted(self.handed_out - found.keys())
        former = self.run(former_ids(self.graph.reader, others))
        heirs = sorted({ProfileId(each.now) for each in former.values() if each.now is not None})
        inherited = self.run(profiles_by_id(self.graph.reader, heirs))
        assert {each.id for each in (*found.values(), *inherited.values())} <= people
        assert former.keys() == set(others)
        assert inherited.keys() == set(heirs)

    def everybody_was_who_they_were(self) -> None:
        """As of each step, of those who are still known, somebody is made of those she was made of then.

        With an identifier that today's policy does not hear any more; without one that was erased.
        """
        rows = self.run(self.graph.reader.rows(EVERYBODY))
        policy = self.in_force()
        still = {mint for row in rows for mint in row["mints"]}
        for number, (moment, people) in enumerate(self.diary.items()):
            known = [mints for mints in people if mints & still]
            if known:
                mints = known[number % len(known)]
                left = sorted(mints & still)
                asked = ProfileId(left[number % len(left)])
                person = self.run(person_by_id(self.graph.reader, asked, View(as_of=moment), policy))
                assert person is not None, (moment, mints)
                assert set(left) <= {each.mint for each in person.identifiers} <= mints, moment


class KilledError(Exception):
    """As if the process had been killed."""


def _received(message: Message, now: datetime, as_it_happens: bool) -> Message:
    """A message as it comes in now; as it happens: what it tells of was a moment ago."""
    if as_it_happens and message.own_time is not None:
        at = now - timedelta(minutes=1) + (message.own_time - after(0)) / 100
        return replace(message, received_at=now, at=at, own_time=at)
    return replace(message, received_at=now, at=min(message.at, now))
