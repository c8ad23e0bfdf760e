"""Who belongs to accounts, against the real Neo4j: in pages, each where the earliest of her identifiers is."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph import members
from graph.accounts import After
from graph.connection import Connection
from graph.members import Among, Colleagues, MemberPage, colleagues_of, members_of, people_among
from tests.graph.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

ALL, OLD, PART, OTHER = ACCOUNTS = [f"account:{name}" for name in ("all", "old", "part", "other")]
PEOPLE = ("anna", "ben", "cy", "box")
KEYS = [f"user_id:{who}{number}" for who in PEOPLE for number in range(3)]
OF = {key: who for key in KEYS for who in PEOPLE if who in key}
FEW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
Said = Sequence[tuple[str, str]]


def world(mints: Sequence[int], said: Said) -> World:
    """Three people of three identifiers each, minted in any order, and a box that is nobody's."""
    made = World()
    for who in PEOPLE:
        made.person(who, *(key for key in KEYS if OF[key] == who), shared="values" if who == "box" else None)
    for row, mint in zip(made.rows["identifiers"], mints, strict=True):
        facts = row["facts"]
        assert isinstance(facts, dict)
        facts["mint"] = f"m{mint:02d}"
    for account in ACCOUNTS:
        made.account(account, account, ALL if account == PART else None)
    for key, account in said:
        made.member(key, account).member(key, account, "owner")
    return made


async def walked(
    page_after: Callable[[str], Awaitable[MemberPage | Colleagues]], first: int
) -> tuple[list[tuple[str, str]], int]:
    """Who comes page by page, and where each stands; and how many pages were short."""
    found, short, place = list[tuple[str, str]](), 0, ""
    while True:
        page = await page_after(place)
        found += [(each.profile.id, each.place) for each in page.found]
        if page.end is None and len(page.found) < first:
            return found, short
        short += page.end is not None
        place = page.end or found[-1][1]


def standing(
    mints: Mapping[str, str], said: Said, accounts: Collection[str], without: str = ""
) -> list[tuple[str, str]]:
    """Who belongs to any of some accounts, where the earliest of the identifiers stands by which she does."""
    places: dict[str, str] = {}
    for key, account in said:
        if account in accounts and OF[key] not in ("box", without):
            places[OF[key]] = min(mints[key], places.get(OF[key], "~"))
    return sorted(places.items(), key=lambda each: each[1])


@FEW
@given(
    st.permutations(range(len(KEYS))),
    st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(ACCOUNTS)), max_size=20, unique=True),
    st.integers(1, 4),
    st.sampled_from([1, 50]),
)
async def test_each_person_comes_once_where_the_earliest_of_her_identifiers_stands(
    graph: Connection, mints: list[int], said: list[tuple[str, str]], first: int, looked_at: int
) -> None:
    """The bound is turned down for some, so that pages are short."""
    await graph.writer.command("MATCH (n:Profile|Identifier|Account) DETACH DELETE n")
    await world(mints, said).write(graph.writer)
    await graph.writer.command(
        "MATCH (o:Account {key: $o}), (a:Account {key: $a}) CREATE (o)-[:MERGED_INTO]->(a)", o=OLD, a=ALL
    )
    of_key = {key: f"m{mint:02d}" for key, mint in zip(KEYS, mints, strict=True)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "LEAST_PASSED", looked_at)
        patch.setattr(members, "PASSED", 1 if looked_at == 1 else 5)
        for depth, within in ((1, {ALL, OLD}), (2, {ALL, OLD, PART})):

            async def listed(place: str, depth: int = depth) -> MemberPage:
                ask = After(ALL, place)
                return (await members_of(graph.reader, [ask], first, depth, ("owner",)))[ask]

            async def among(place: str, depth: int = depth) -> Colleagues:
                ask = Among((ALL, OTHER), place, "ben")
                return (await people_among(graph.reader, [Among((OTHER,)), ask], first, depth))[ask]

            found, short = await walked(listed, first)
            assert found == standing(of_key, said, within)
            assert short == 0 or looked_at == 1
            assert (await walked(among, first))[0] == standing(of_key, said, within | {OTHER}, "ben")

        async def colleagues(place: str) -> Colleagues:
            ask = After("anna", place)
            return (await colleagues_of(graph.reader, [After("cy"), ask], first))[ask]

        own = {account for key, account in said if OF[key] == "anna"}
        own |= {ALL, OLD} if own & {ALL, OLD} else set()
        assert (await walked(colleagues, first))[0] == standing(of_key, said, own, "anna")
