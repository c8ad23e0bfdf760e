"""Names of interactions of somebody's own: recorded once, heard of with the policy, and one kind each."""

import pytest

from graph.connection import Connection
from graph.errors import NameConflictError
from graph.interaction_names import name_kinds
from graph.policies import PolicyHeld, follow
from insight.interactions import STANDARD, Kind, named_kinds
from tests.building import default_policy

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


async def test_a_process_hears_of_names_while_it_follows_and_who_gave_one_may_say_something_else(
    graph: Connection,
) -> None:
    held = PolicyHeld(default_policy())
    await follow(graph.reader, held)
    assert held.names is STANDARD
    for _ in range(2):
        await name_kinds(graph.writer, named_kinds({"order": ["Bestellung"], "form": ["Umfrage"]}), "laden")
        await follow(graph.reader, held)
        assert held.names.own == (("Bestellung", Kind.ORDER), ("Umfrage", Kind.FORM))
    known = held.names
    await follow(graph.reader, held)
    assert held.names is known
    await name_kinds(graph.writer, named_kinds({"track": ["Umfrage"]}), "laden")
    await follow(graph.reader, held)
    assert held.names.kind_of("track", "Umfrage") is Kind.TRACK


async def test_two_sources_cannot_give_one_name_two_kinds_and_nothing_is_written_then(graph: Connection) -> None:
    await name_kinds(graph.writer, named_kinds({"order": ["Bestellung"]}), "laden")
    await name_kinds(graph.writer, named_kinds({"order": ["Bestellung"]}), "kasse")
    with pytest.raises(NameConflictError, match="laden that it is of kind OrderEvent"):
        await name_kinds(graph.writer, named_kinds({"payment": ["Bestellung"], "form": ["A"]}), "kasse")
    await graph.writer.command("CREATE (:InteractionName {name: 'B', kind: 'OfTomorrow', named_by: 'x'})")
    held = PolicyHeld(default_policy())
    await follow(graph.reader, held)
    assert held.names.own == (("Bestellung", Kind.ORDER),)
