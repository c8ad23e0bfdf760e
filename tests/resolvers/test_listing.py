"""Lists over GraphQL: filtered and ordered as asked, page by page, each item once."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from graph.connection import Connection
from graph.segments import define_segment
from insight.segments import Comparison, TraitIs
from resolvers.ids import Noun, global_id, node_in
from tests.graph.world import MINUTE, START, World
from tests.resolvers.calling import Caller, caller

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

PAGE = """
query ($filter: ProfileFilter, $order: ProfileOrder! = ID, $after: String, $first: Int! = 2, $search: String) {
  profiles(filter: $filter, order: $order, after: $after, first: $first, search: $search) {
    totalCount edges { node { id } } pageInfo { hasNextPage endCursor }
  }
}
"""


def world() -> World:
    """Five people; a later letter was first seen later, and last seen earlier."""
    made = World().account("account:fern", "Fern AS", domain="fern.no").account("account:birch", "Birch Ltd")
    for number, name in enumerate("abcde"):
        made.person(name, f"user_id:{name}", city="Oslo" if name in "ace" else "Bergen", age=20 + number)
        made.rows["profiles"][-1].update(first_seen=START + number * MINUTE, last_seen=START + (9 - number) * MINUTE)
    return made.member("user_id:b", "account:fern").member("user_id:c", "account:fern")


async def listed(me: Caller, **asked: object) -> list[str]:
    """All pages of a list, as the names of its people."""
    found: list[str] = []
    after = None
    while True:
        page = (await me.ask(PAGE, after=after, **asked))["profiles"]  # type: ignore[arg-type]  # plain JSON
        found += [node_in(edge["node"]["id"])[1] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(found)
            return found


def moment(minute: int) -> str:
    return f"2026-01-01T00:{minute:02d}:00Z"


def trait(name: str, how: str, value: object) -> dict[str, object]:
    return {"trait": {"name": name, "how": how, "value": value}}


OSLO = trait("city", "EQUALS", "Oslo")
FILTERS: list[tuple[dict[str, object], str]] = [
    ({}, "abcde"),
    ({"known": True, "shared": False}, "abcde"),
    ({"known": False}, ""),
    ({"traits": [{"name": "city", "value": "Bergen"}]}, "bd"),
    ({"where": trait("city", "STARTS_WITH", "Ber")}, "bd"),
    ({"where": trait("city", "IN", ["Oslo", "Paris"])}, "ace"),
    ({"where": trait("name", "EXISTS", True)}, ""),
    ({"where": {"not": OSLO}}, "bd"),
    ({"where": {"any": [OSLO, trait("city", "CONTAINS", "erg")]}}, "abcde"),
    ({"where": {"all": [OSLO, {"interactions": {"atLeast": 1}}]}}, ""),
    ({"segment": "osloers"}, "ace"),
    ({"segment": "nobody"}, ""),
    ({"account": {"key": {"namespace": "account", "value": "fern"}}}, "bc"),
    ({"account": {"key": {"namespace": "account", "value": "gone"}}}, ""),
    ({"firstSeen": {"start": moment(1), "end": moment(3)}}, "bcd"),
    ({"lastSeen": {"start": moment(8)}, "segment": "osloers"}, "a"),
]


# Each pair is a statement of its own, which costs a fifth of a second to plan: in turn one of the two times, in `make
# prove` both.
ORDERS = ("LAST_SEEN", "FIRST_SEEN")
BOTH = settings.get_current_profile_name() == "prove"


async def test_a_filter_shows_those_of_whom_it_is_true_in_every_order(graph: Connection) -> None:
    await world().write(graph.writer)
    await define_segment(graph.writer, "osloers", TraitIs("city", Comparison.EQUALS, "Oslo"), START)
    me = caller(graph)
    for number, (wanted, expected) in enumerate(FILTERS):
        assert await listed(me, filter=wanted) == list(expected), wanted
        for order in ORDERS if BOTH else [ORDERS[number % 2]]:
            backwards = expected[::-1] if order == "FIRST_SEEN" else expected
            assert await listed(me, filter=wanted, order=order) == list(backwards), (wanted, order)


async def test_a_search_is_filtered_too(graph: Connection) -> None:
    made = world()
    for row, name in zip(made.rows["profiles"], ("Kim A", "Kim B", "Kim C", "Bo", "Kim E"), strict=True):
        row["t_name"] = name
    await made.write(graph.writer)
    assert sorted(await listed(caller(graph), search="kim", filter={"where": OSLO})) == ["a", "c", "e"]


MANY = """
UNWIND range(1, 10050) AS number
CREATE (:Profile {id: 'A' + number, known: true, shared: false, first_seen: 1, last_seen: 1})
"""


async def test_a_page_that_finds_too_little_stops_and_says_where_to_go_on(graph: Connection) -> None:
    await world().write(graph.writer)
    await graph.writer.command(MANY)
    me = caller(graph)
    page = (await me.ask(PAGE, filter={"where": OSLO}, first=5))["profiles"]
    assert (page["edges"], page["pageInfo"]["hasNextPage"]) == ([], True)
    assert len(me.statements) == 2
    rest = (await me.ask(PAGE, filter={"where": OSLO}, first=5, after=page["pageInfo"]["endCursor"]))["profiles"]
    assert [node_in(edge["node"]["id"])[1] for edge in rest["edges"]] == ["a", "c", "e"]
    assert not rest["pageInfo"]["hasNextPage"]


def operators(plan: dict[str, object]) -> Iterator[str]:
    yield str(plan["operatorType"]).partition("@")[0]
    for child in plan.get("children", []):  # type: ignore[attr-defined]  # a list of plans
        yield from operators(child)


@pytest.mark.parametrize("order", ["ID", "LAST_SEEN", "FIRST_SEEN"])
async def test_a_page_is_read_in_the_order_of_an_index(graph: Connection, order: str) -> None:
    await world().write(graph.writer)
    me = caller(graph)
    await me.ask(PAGE.replace("totalCount", ""), order=order, filter={"where": OSLO, "known": True})
    async with graph.driver.session() as session:
        parameters = {"after": "", "at": 0, "start": 0, "known": True, "known_as": True, "first": 3, "looked_at": 9}
        result = await session.run(f"EXPLAIN {me.statements[0]}", {**parameters, "c0": "x"})  # type: ignore[arg-type]
        plan = (await result.consume()).plan
    assert plan is not None
    found = set(operators(plan))
    assert found & {"NodeIndexSeek", "NodeIndexSeekByRange", "NodeUniqueIndexSeekByRange"}
    assert not found & {"Sort", "Top", "AllNodesScan", "NodeByLabelScan", "NodeIndexScan"}


ACCOUNTS = """
query ($filter: AccountFilter, $order: AccountOrder! = KEY, $search: String) {
  accounts(filter: $filter, order: $order, search: $search) { totalCount edges { node { id } } }
}
"""


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["birch", "fern"]),
        ({"order": "LAST_SEEN"}, ["fern", "birch"]),
        ({"filter": {"domain": "FERN.no"}}, ["fern"]),
        ({"filter": {"namespace": "crm.account"}}, []),
        ({"filter": {"seenSince": moment(5)}}, ["fern"]),
        ({"search": "bir"}, ["birch"]),
        ({"search": "fern"}, ["fern"]),
        ({"search": "fern", "filter": {"seenSince": moment(9)}}, []),
    ],
)
async def test_accounts_are_listed_filtered_and_found_by_words(
    graph: Connection, asked: dict[str, object], expected: list[str]
) -> None:
    made = world()
    made.rows["accounts"][0].update(last_seen=START + 5 * MINUTE, mail_domain="fern.no")
    await made.write(graph.writer)
    found = (await caller(graph).ask(ACCOUNTS, **asked))["accounts"]  # type: ignore[arg-type]  # plain JSON
    ids = [global_id(Noun.ACCOUNT, f"account:{name}") for name in expected]
    assert [edge["node"]["id"] for edge in found["edges"]] == ids
    assert found["totalCount"] == len(ids)
