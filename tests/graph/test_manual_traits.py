"""What is set by hand, what is taken back, and what the past knows of both."""

from dataclasses import dataclass

import pytest

from graph.connection import Connection
from graph.manual_traits import clear_trait, set_by_hand, set_trait
from graph.past import View, person_by_key
from graph.past_hearing import Asked, Rules
from graph.past_traits import observations_then
from graph.profiles import observations_of
from graph.rebuild import verify
from identity.erasure import Scope
from identity.evidence import ActKind
from identity.identifiers import IdentifierKey
from identity.messages import Json, micros
from insight.traits import explained_traits
from tests.building import act, after, alias, default_policy, identify, track
from tests.graph.erasing import erased, readable
from tests.graph.telling import Teller, telling

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

START = micros(after(0).replace(year=2028))
SECOND = 1_000_000
ADDRESS = "ann@example.com"


@dataclass
class Steward:
    """Sets and takes back the name of one identifier's person, by a clock in seconds."""

    teller: Teller
    key: IdentifierKey

    async def says(self, name: Json, second: int) -> None:
        now = START + second * SECOND
        said = set_by_hand("name", name, f"{self.key} {name} {second}", now)
        assert await set_trait(self.teller.graph.writer, self.key, said, self.teller.policy, now, "kim")

    async def takes_back(self, second: int) -> None:
        now = START + second * SECOND
        assert await clear_trait(self.teller.graph.writer, self.key, "name", self.teller.policy, now, "kim")

    async def name(self, view: View) -> tuple[Json, str, int]:
        """What is shown, who said so, and at which second."""
        reader, policy = self.teller.graph.reader, self.teller.policy
        person = await person_by_key(reader, self.key, view, policy)
        assert person is not None
        asked = Asked(person.keys, view, Rules(policy, policy))
        shown = explained_traits((await observations_then(reader, [asked]))[asked], policy)["name"]
        return shown.value, shown.source, ((shown.at or 0) - START) // SECOND


async def steward(graph: Connection, key: str = "anonymous_id:a1") -> Steward:
    teller = await telling(graph, default_policy())
    await teller.tell([identify("u1", "a1", traits={"name": "Web"})])
    return Steward(teller, IdentifierKey(key))


async def test_what_stood_by_hand_is_shown_as_of_then_until_it_was_taken_back_or_set_again(graph: Connection) -> None:
    kim = await steward(graph)
    told: dict[int, Json] = {1: "Ann", 3: "", 5: "Bea", 6: "Cy", 7: "Bea", 9: None, 11: "", 13: "Ann"}
    for second, name in told.items():
        await (kim.takes_back(second) if name == "" else kim.says(name, second))
        said = await observations_of(graph.reader, [await profile(graph)])
        assert {each.source for each in said[await profile(graph)]} == {"web", *([] if name == "" else ["manual"])}
    for second in range(15):
        since = max((each for each in told if each <= second), default=0)
        name = told.get(since, "")
        moment = START + second * SECOND
        shown = await kim.name(View(as_of=moment) if second % 2 else View(effective_at=moment))
        assert shown[:2] == ("Web", "web") if name == "" else shown == (name, "manual", since)
    assert (await kim.name(View()))[0] == "Ann"
    assert await verify(graph.reader, kim.teller.policy) == ()


async def profile(graph: Connection) -> str:
    (row,) = await graph.reader.rows("MATCH (p:Profile) RETURN p.id AS id")
    return row["id"]  # type: ignore[no-any-return]  # a row holds anything


async def test_what_is_said_last_stands_whatever_the_clocks_say(graph: Connection) -> None:
    kim = await steward(graph)
    await kim.says("Ann", 9)
    await kim.takes_back(2)
    assert (await kim.name(View(as_of=START + 10 * SECOND)))[0] == "Web"
    await kim.says("Bea", 1)
    await kim.says("Cy", 0)
    assert (await kim.name(View(as_of=START + 10 * SECOND)))[0] == "Cy"


async def test_an_erasure_takes_what_was_taken_back(graph: Connection) -> None:
    kim = await steward(graph)
    await kim.teller.tell([track("a2", email=ADDRESS)])
    hers = Steward(kim.teller, IdentifierKey(f"email:{ADDRESS}"))
    for second, one in enumerate((hers, kim, kim)):
        await one.says(f"a friend of {ADDRESS}", second)
    for one in (hers, kim):
        await one.takes_back(5)
    assert (await kim.name(View(as_of=START + 4 * SECOND)))[0] == f"a friend of {ADDRESS}"
    await erased(graph, f"email:{ADDRESS}", scope=Scope.IDENTIFIER)
    await erased(graph, "anonymous_id:a2")
    assert await readable(graph, ADDRESS) == []
    for second in (1, 4):
        assert (await kim.name(View(as_of=START + second * SECOND)))[0] == "a friend of [erased]"
    assert (await kim.name(View()))[0] == "Web"
    (left,) = await graph.reader.rows(
        "MATCH (o:Observation) RETURN count(o) AS many, count { (:Observation)-[:OF|WAS_OF]->(:Identifier) } AS on"
    )
    assert left == {"many": 3, "on": 3}


async def test_what_was_set_for_a_previous_id_goes_over_to_the_user_id_that_it_is(graph: Connection) -> None:
    teller = await telling(graph, default_policy())
    await teller.tell([alias("u9", on="a1")])
    await teller.decide(act(ActKind.DIFFERENT, "anonymous_id:a1", "anonymous_id:u9", at=1))
    kim = Steward(teller, IdentifierKey("anonymous_id:u9"))
    await kim.says("Ann", 1)
    await kim.says("Ann", 2)
    await teller.tell([identify("u9", "a2", at=5)])
    kim = Steward(teller, IdentifierKey("user_id:u9"))
    assert [await kim.name(View(as_of=START + second * SECOND)) for second in (1, 2)] == [
        ("Ann", "manual", 1),
        ("Ann", "manual", 2),
    ]
    assert await verify(graph.reader, teller.policy) == ()
