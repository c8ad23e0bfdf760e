"""Explanations against the real Neo4j: the path between two identifiers, or what was refused between two people."""

import pytest

from graph.connection import Connection
from graph.explanations import explained, makings_of
from identity.evidence import ActKind
from identity.identifiers import IdentifierKey, ProfileId
from insight.explanations import Explanation
from insight.refusals import RemedyKind
from tests.building import act, default_policy, identify
from tests.graph.telling import Teller, telling
from tests.graph.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
HOME = "email:home@fern.no"


def world() -> World:
    made = World().person("anna", "user_id:anna", "email:a@fern.no", "anonymous_id:a", "anonymous_id:b")
    made.person("ben", "user_id:ben", "anonymous_id:c").person("cy", "user_id:cy").person("dee", "anonymous_id:d")
    made.person("home", HOME, known=False, shared="values").shares("anna", HOME).shares("ben", HOME)
    made.linked("user_id:anna", "email:a@fern.no").linked("email:a@fern.no", "anonymous_id:a", kind="alias")
    made.linked("user_id:anna", "anonymous_id:b").linked("anonymous_id:a", "anonymous_id:c", reason="unique")
    made.linked("anonymous_id:a", "anonymous_id:b")
    for number in range(30):
        made.linked("anonymous_id:b", "user_id:ben", reason="unique", kind="alias", at=number)
    return made.linked("user_id:anna", HOME, reason="generic").linked("user_id:ben", HOME, reason="generic")


async def why(graph: Connection, a: str, b: str) -> Explanation:
    await world().write(graph.writer)
    return await explained(graph.reader, IdentifierKey(a), IdentifierKey(b), default_policy())


async def test_the_strongest_links_say_why_they_are_one_though_a_shorter_way_is_there(graph: Connection) -> None:
    answer = await why(graph, "anonymous_id:a", "anonymous_id:b")
    assert answer.same
    assert [(each.a, each.b, each.kind.word) for each in answer.path] == [
        ("anonymous_id:a", "email:a@fern.no", "alias"),
        ("email:a@fern.no", "user_id:anna", "cooccur"),
        ("anonymous_id:b", "user_id:anna", "cooccur"),
    ]


async def test_refused_links_and_what_two_people_share_are_counted_by_reason_and_shown_up_to_twenty(
    graph: Connection,
) -> None:
    answer = await why(graph, "user_id:ben", "email:a@fern.no")
    assert not answer.same
    assert (answer.refused_count, len(answer.refused)) == (33, 20)
    assert [(each.group.reason, each.group.count, each.group.over) for each in answer.refusals] == [
        ("unique", 31, False),
        ("generic", 2, True),
    ]
    unique, shared = answer.refusals
    assert unique.why.conflicts == (("user_id:ben", "user_id:anna"),)
    assert (shared.group.shared and (shared.group.shared.key, shared.group.shared.people)) == (HOME, 2)
    assert [each.kind for each in answer.remedies] == [RemedyKind.OVERRIDE]


async def test_a_shared_thing_is_nobody(graph: Connection) -> None:
    answer = await why(graph, "anonymous_id:d", HOME)
    assert (answer.same, answer.refused) == (False, ())
    assert [each.kind for each in answer.remedies] == [RemedyKind.REMOVE_OTHER_USES]
    direct = await explained(graph.reader, IdentifierKey(HOME), IdentifierKey("user_id:ben"), default_policy())
    assert [
        (each.group.count, each.group.over, each.group.shared and each.group.shared.key) for each in direct.refusals
    ] == [(1, False, HOME)]


async def test_strangers_have_nothing_between_them_and_can_be_joined_by_hand(graph: Connection) -> None:
    answer = await why(graph, "anonymous_id:d", "user_id:anna")
    assert (answer.same, answer.path, answer.refused, answer.missing) == (False, (), (), ())
    assert [(each.kind, each.about) for each in answer.remedies] == [
        (RemedyKind.MERGE, ("anonymous_id:d", "user_id:anna"))
    ]


async def test_one_identifier_is_itself_and_an_unknown_one_is_named(graph: Connection) -> None:
    known, unknown = IdentifierKey("user_id:cy"), IdentifierKey("user_id:cx")
    assert (await why(graph, known, known)).same
    policy = default_policy()
    assert (await explained(graph.reader, unknown, known, policy)).missing == (unknown,)
    assert (await explained(graph.reader, unknown, unknown, policy)).missing == (unknown, unknown)


async def decided(graph: Connection) -> Teller:
    """Ann's browser was joined to her by hand, and Bob was told from her by hand."""
    teller = await telling(graph)
    await teller.tell(
        [identify("ann", email="ann@x.com", id="1"), identify(on="a1", id="2"), identify(on="b1", id="3")]
    )
    await teller.decide(act(ActKind.SAME, "user_id:ann", "anonymous_id:a1", at=5))
    await teller.decide(act(ActKind.DIFFERENT, "anonymous_id:b1", "anonymous_id:a1", at=6))
    await teller.tell([identify(on="b1", email="ann@x.com", id="4")])
    return teller


async def test_decisions_are_named_when_they_join_and_when_they_part(graph: Connection) -> None:
    teller = await decided(graph)
    ann, mine, other = map(IdentifierKey, ("user_id:ann", "anonymous_id:a1", "anonymous_id:b1"))
    together = await explained(graph.reader, ann, mine, teller.policy)
    assert [(each.kind.word, each.source) for each in together.path] == [("manual", "manual")]
    apart = await explained(graph.reader, ann, other, teller.policy)
    assert [(each.group.reason, each.why.decisions[0].pair) for each in apart.refusals] == [
        ("different", (mine, other))
    ]
    assert [each.kind for each in apart.remedies] == [RemedyKind.UNDO_DECISION]
    (row,) = await graph.reader.rows("MATCH (:Identifier {key: 'user_id:ann'})-[:IDENTIFIES]->(p) RETURN p.id AS id")
    making = (await makings_of(graph.reader, [ProfileId(row["id"])], teller.policy))[row["id"]]
    assert [(step.link.kind.word, step.joined, step.size) for step in making.steps] == [
        ("manual", True, 2),
        ("cooccur", True, 3),
    ]
