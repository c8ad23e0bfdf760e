"""What is asked of the past is what was answered then: a diary of random histories against the real Neo4j."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.connection import Connection
from graph.past import PastPerson, View, person_by_id
from graph.past_traits import Rules, observations_then
from graph.views import shown_traits
from identity.evidence import Act, ActId, ActKind
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import Message, micros
from tests.building import act, after
from tests.graph.telling import Teller, telling
from tests.identity.histories import some_act, some_message

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

FEW = settings(
    max_examples=max(3, settings.default.max_examples // 33),  # type: ignore[union-attr]  # a profile is loaded
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
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
    still = {key for entry in await entries(teller) for key in entry.mints}
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
    teller: Teller, person: PastPerson, entry: Entry, view: View, still: set[IdentifierKey]
) -> None:
    assert (person.id, {each.mint for each in person.identifiers}) == (entry.id, set(entry.mints.values()))
    assert person.shared == entry.shown["shared"]
    if entry.mints.keys() <= still:  # a previousId that turned out to be a user id is one in the past, too
        assert person.known == entry.shown["known"]
    shown = {name: value for name, value in entry.shown.items() if name.startswith("t_")}
    assert await traits(teller, person, view) == shown
