"""Ids under one policy after another: each comes home, all ever handed out resolve, and the past stays what it was."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.applying import Applier, apply
from graph.connection import Connection
from graph.former_ids import former_ids
from graph.past import PastPerson, View, person_by_id
from graph.rebuild import verify
from identity.erasure import Scope
from identity.evidence import Act
from identity.identifiers import Blocked, ProfileId, normalise
from identity.messages import Message, micros
from identity.policy import Normaliser, Policy
from tests.building import after, default_policy, identify, minting, track
from tests.graph.erasing import erased, readable
from tests.graph.test_policy_changes import CHANGES, Change, changing, some_spelt_steps, with_email, written
from tests.identity.policies import small_policy

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

HEARD_OTHERWISE = [
    "blocked values",
    "addresses as they are",
    "folded addresses",
    "folded addresses of one person",
    "aliases rename",
    "no aliases",
]
SOME = settings(
    max_examples=max(3, settings.default.max_examples // 33),  # type: ignore[union-attr]  # a profile is loaded
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
LONG_AFTER = after(0).replace(year=2030)

IDENTIFIERS = """
MATCH (i:Identifier)-[:IDENTIFIES]->(p:Profile)
RETURN i.key AS key, [i.mint, i.minted_at, p.id] AS id
"""
SIGHTED = "MATCH (i:Identifier) WHERE i.sighted RETURN collect(i.key) AS keys"
LOGGED = """
MATCH (change:Change)-[moved:MOVED]->(i)
WHERE i.key IS NOT NULL AND change.at <= $until
RETURN i.key AS key, change.at AS at, moved.left AS left, moved.joined AS joined
ORDER BY key, at, left, joined
"""


class Ruler:
    """Puts one policy after another in force, each an hour later."""

    def __init__(self, change: Change) -> None:
        self.graph, self.change, self.mints, self.hours = change.graph, change, minting(), 0

    async def apply(self, policy: Policy) -> None:
        self.hours += 1
        at = LONG_AFTER.replace(hour=self.hours)
        await apply(self.graph, policy, Applier("ann", "", lambda: at, lambda: f"policy-{next(self.mints)}"))

    async def ids(self) -> Mapping[str, list[object]]:
        return {row["key"]: row["id"] for row in await self.graph.reader.rows(IDENTIFIERS)}

    async def logged(self, until: int) -> list[Mapping[str, object]]:
        return [dict(row) for row in await self.graph.reader.rows(LOGGED, until=until)]


async def resolved(graph: Connection, mints: list[str]) -> set[str]:
    """Those ids that are an identifier's, or stand for one that is there."""
    rows = await graph.reader.rows("MATCH (i:Identifier) RETURN collect(i.mint) AS mints")
    there = set(rows[0]["mints"])
    former = await former_ids(graph.reader, mints)
    return {each for each in mints if each in there or (each in former and former[each].now in there)}


def says_something(key: str, policy: Policy) -> bool:
    namespace, _, value = key.partition(":")
    return not isinstance(normalise(namespace, value, policy), Blocked)


@SOME
@given(some_spelt_steps, st.lists(st.sampled_from(HEARD_OTHERWISE), min_size=1, max_size=2))
async def test_a_policy_that_is_in_force_again_gives_the_ids_it_gave_and_the_past_stays_as_it_was(
    graph: Connection, steps: list[Message | Act], names: list[str]
) -> None:
    change = await changing(graph)
    await change.teller.steps(steps)
    ruler, then = Ruler(change), micros(LONG_AFTER) - 1
    before, logged = await ruler.ids(), await ruler.logged(then)
    mints = {str(mint): key for key, (mint, *_) in before.items()}
    (row,) = await graph.reader.rows(SIGHTED)
    sighted = set(row["keys"])  # the others are known by an alias alone, and go with it
    people = {
        mint: await person_by_id(graph.reader, ProfileId(mint), View(as_of=then), small_policy()) for mint in mints
    }
    for name in names:
        policy = written(CHANGES[name](small_policy()))
        await ruler.apply(policy)
        gone = mints.keys() - await resolved(graph, list(mints))
        assert not {mints[mint] for mint in gone if mints[mint] in sighted and says_something(mints[mint], policy)}
        for mint, person in people.items():
            found = await person_by_id(graph.reader, ProfileId(mint), View(as_of=then), policy)
            assert ids_of(found) == ids_of(person) != set()
    await ruler.apply(written(small_policy()))
    assert await verify(graph.reader, written(small_policy())) == ()
    assert await ruler.ids() == before
    assert await ruler.logged(then) == logged


def ids_of(person: PastPerson | None) -> set[tuple[str, str, str]]:
    return {(person.id, each.key, each.mint) for each in person.identifiers} if person else set()


async def test_an_erasure_takes_the_keys_that_a_value_had_under_other_policies(graph: Connection) -> None:
    change = await changing(graph, default_policy())
    await change.teller.tell([identify("u1", email="a.nn.lee@gmail.com"), track(email="blocked.one@x.com")])
    rules = with_email(normaliser=Normaliser.EMAIL_FOLDED)(default_policy())
    blocking = rules.blocked_values | {"blocked.one@x.com"}
    await Ruler(change).apply(written(replace(rules, blocked_values=blocking)))
    assert await change.count("(f:FormerId) WHERE f.key IS NOT NULL") == 2
    for key in ("email:annlee@gmail.com", "email:blocked.one@x.com"):
        await erased(graph, key, scope=Scope.IDENTIFIER)
    assert await readable(graph, "a.nn.lee") == []
    assert await change.count("(f:FormerId) WHERE f.key IS NOT NULL") == 0
