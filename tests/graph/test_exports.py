import networkx as nx
import pytest

from graph.connection import Connection
from graph.exports import IdentifierLine, identifier_lines, neighbourhood
from identity.identifiers import IdentifierKey, ProfileId
from selfsame.drawing import svg_of

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

# Ada on two devices and at work; the family's tablet belongs to nobody; Bo stands behind the tablet.
HOUSEHOLD = """
MATCH (old) WHERE old:Identifier OR old:Profile OR old:Account DETACH DELETE old
"""
PEOPLE = """
CREATE (ada:Profile {id: 'p1', known: true, t_name: 'Ada Quill'})
CREATE (bo:Profile {id: 'p2', known: true, t_name: 'Bo <Ek>'})
CREATE (email:Identifier:ContactPoint
  {key: 'email:ada@x.io', namespace: 'email', value: 'ada@x.io', first_seen: 1000000, mint: 'm1', steps: '[]'})
CREATE (user:Identifier:Contact {key: 'user_id:u1', namespace: 'user_id', value: 'u1', first_seen: 0})
CREATE (second:Identifier:Contact {key: 'user_id:u2', namespace: 'user_id', value: 'u2', first_seen: 0})
CREATE (email)-[:IDENTIFIES]->(ada)
CREATE (user)-[:IDENTIFIES]->(ada)
CREATE (second)-[:IDENTIFIES]->(bo)
CREATE (email)-[:LINKED {kind: 'cooccur', source: 'web', accepted: true, first_seen: 0}]->(user)
CREATE (email)-[:LINKED {kind: 'cooccur', source: 'web', accepted: false, reason: 'unique'}]->(second)
CREATE (user)-[:MEMBER_OF {role: 'buyer', from: 0}]->(:Account {key: 'crm:7', name: 'Acme & Sons', traits: '{}'})
"""
ADA = IdentifierKey("email:ada@x.io")


@pytest.fixture
async def people(graph: Connection) -> Connection:
    await graph.writer.command(HOUSEHOLD)
    await graph.writer.command(PEOPLE)
    return graph


async def test_identifiers_are_lines_sorted_by_profile_namespace_and_value(people: Connection) -> None:
    lines = [line async for line in identifier_lines(people.reader)]
    assert lines == [
        IdentifierLine(ProfileId("p1"), "email", "ada@x.io"),
        IdentifierLine(ProfileId("p1"), "user_id", "u1"),
        IdentifierLine(ProfileId("p2"), "user_id", "u2"),
    ]


async def test_pages_lose_and_repeat_nothing(people: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [line async for line in identifier_lines(people.reader)]
    monkeypatch.setattr("graph.exports.PROFILES_PER_PAGE", 1)
    assert [line async for line in identifier_lines(people.reader)] == whole


async def test_one_hop_reaches_profile_and_links(people: Connection) -> None:
    found = await neighbourhood(people.reader, ADA, 1)
    assert found
    assert set(found.graph) == {"email:ada@x.io", "profile:p1", "user_id:u1", "user_id:u2"}
    assert not found.cut


async def test_two_hops_reach_the_account(people: Connection) -> None:
    found = await neighbourhood(people.reader, ADA, 2)
    assert found
    assert found.graph.nodes["crm:7"] == {"kind": "Account", "name": "Acme & Sons"}
    assert {name for *_, name in found.graph.edges(data="relationship")} == {"IDENTIFIES", "LINKED", "MEMBER_OF"}


async def test_what_a_limit_cuts_is_said(people: Connection) -> None:
    found = await neighbourhood(people.reader, ADA, 2, limit=2)
    assert found
    assert (len(found.graph), found.cut) == (2, True)


async def test_nobody_is_around_an_identifier_never_seen(people: Connection) -> None:
    assert await neighbourhood(people.reader, IdentifierKey("email:nobody@x.io"), 2) is None


async def test_the_graph_survives_graphml_and_json(people: Connection) -> None:
    found = await neighbourhood(people.reader, ADA, 2)
    assert found
    by_xml = nx.parse_graphml("\n".join(nx.generate_graphml(found.graph)), force_multigraph=True)
    by_json = nx.node_link_graph(nx.node_link_data(found.graph, edges="edges"), edges="edges")
    for read in (by_xml, by_json):
        assert dict(read.nodes(data=True)) == dict(found.graph.nodes(data=True))
        assert list(read.edges(data=True)) == list(found.graph.edges(data=True))


async def test_a_moment_is_text_and_bookkeeping_stays_behind(people: Connection) -> None:
    found = await neighbourhood(people.reader, ADA, 0)
    assert found
    assert found.graph.nodes[ADA] == {
        "kind": "ContactPoint",
        "first_seen": "1970-01-01T00:00:01+00:00",
        "namespace": "email",
        "value": "ada@x.io",
    }


async def test_the_picture_escapes_what_people_wrote_and_marks_what_was_refused(people: Connection) -> None:
    found = await neighbourhood(people.reader, ADA, 3)
    assert found
    picture = svg_of(found.graph, "profile:p1", "Who is ada@x.io?")
    assert "Bo &lt;Ek&gt;" in picture
    assert "<title>refused: unique</title>" in picture
    assert picture == svg_of(found.graph, "profile:p1", "Who is ada@x.io?")
