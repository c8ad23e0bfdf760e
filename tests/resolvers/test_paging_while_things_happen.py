"""A list that is walked page by page while things happen: all that stays comes once and in order, nothing twice."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.connection import Connection
from identity.messages import Json
from tests.resolvers.calling import Caller, caller
from tests.resolvers.passing_time import ACCOUNT, PEOPLE, Company, Happening, some_happening, user

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

FEW = settings(
    max_examples=max(3, settings.default.max_examples // 30),  # type: ignore[union-attr]  # a profile is loaded
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

PAGE = "pageInfo { hasNextPage endCursor } edges { cursor node"
OF_EVERYBODY = {
    "byId": f"profiles(ARGS) {{ {PAGE} {{ id }} }} }}",
    "byLastSeen": f"profiles(order: LAST_SEEN, ARGS) {{ {PAGE} {{ id }} }} }}",
    "byFirstSeen": f"profiles(order: FIRST_SEEN, ARGS) {{ {PAGE} {{ id }} }} }}",
    "filtered": f"profiles(filter: {{ known: true, shared: false }}, ARGS) {{ {PAGE} {{ id }} }} }}",
    "accounts": f"accounts(ARGS) {{ {PAGE} {{ id }} }} }}",
    "accountsLatest": f"accounts(order: LAST_SEEN, ARGS) {{ {PAGE} {{ id }} }} }}",
    "changes": f"changes(ARGS) {{ {PAGE} {{ id }} }} }}",
    "oldestChanges": f"changes(order: OLDEST_FIRST, ARGS) {{ {PAGE} {{ id }} }} }}",
}
OF_ONE = {
    "identifiers": f"identifiers(ARGS) {{ {PAGE} {{ id }} }} }}",
    "interactions": f"interactions(ARGS) {{ {PAGE} {{ id }} }} }}",
    "viewed": f'interactions(filter: {{ names: ["Viewed"] }}, ARGS) {{ {PAGE} {{ id }} }} }}',
    "oldestFirst": f"interactions(order: OLDEST_FIRST, ARGS) {{ {PAGE} {{ id }} }} }}",
    "oldestViewed": f'interactions(order: OLDEST_FIRST, filter: {{ names: "Viewed" }}, ARGS) {{ {PAGE} {{ id }} }} }}',
    "tracked": f"interactions(filter: {{ types: [TRACK] }}, ARGS) {{ {PAGE} {{ id }} }} }}",
    "sessions": f"sessions(ARGS) {{ {PAGE} {{ id: start }} }} }}",
    "firstSessions": f"sessions(order: OLDEST_FIRST, ARGS) {{ {PAGE} {{ id: end }} }} }}",
    "history": f"history(ARGS) {{ {PAGE} {{ id }} }} }}",
    "oldestHistory": f"history(order: OLDEST_FIRST, ARGS) {{ {PAGE} {{ id }} }} }}",
    "memberships": f"accounts(ARGS) {{ {PAGE} {{ id: account {{ id }} }} }} }}",
    "shared": f"sharedIdentifiers(ARGS) {{ {PAGE} {{ id: identifier {{ id }} }} }} }}",
    "colleagues": f"colleagues(ARGS) {{ {PAGE} {{ id }} }} }}",
    "household": f"household(ARGS) {{ {PAGE} {{ id: profile {{ id }} }} }} }}",
    "orders": f"orders(ARGS) {{ {PAGE} {{ id }} }} }}",
    "firstOrders": f"orders(order: OLDEST_FIRST, ARGS) {{ {PAGE} {{ id }} }} }}",
    "suggestions": f"suggestions(ARGS) {{ {PAGE} {{ id }} }} }}",
}
OF_ACCOUNT = {"members": f"members(ARGS) {{ {PAGE} {{ id: profile {{ id }} }} }} }}"}
LISTS = [*OF_EVERYBODY, *OF_ONE, *OF_ACCOUNT]

# In these an item may get another place by what is told of it: then it may be missed or come again.
MOVING = ("byLastSeen", "byFirstSeen", "accountsLatest", "orders", "firstOrders")

Place = tuple[Any, ...]


def up(place: Place) -> Place:
    return place


def down(place: Place) -> Place:
    """The latest first, then the greatest id first."""
    return tuple(-each if isinstance(each, int) else tuple(-ord(char) for char in each) for each in place)


def of_order(place: Place) -> Place:
    """The latest event first; of those of one event the smallest key first."""
    return (*down(place[:2]), place[2])


DOWN = (
    "byLastSeen",
    "byFirstSeen",
    "accountsLatest",
    "changes",
    "interactions",
    "viewed",
    "tracked",
    "sessions",
    "history",
)
ORDER: Mapping[str, Callable[[Place], Place]] = {
    **dict.fromkeys(LISTS, up),
    **dict.fromkeys(DOWN, down),
    "orders": of_order,
}


def document(open_: Sequence[str]) -> str:
    """All lists that are walked, each from its own cursor on."""

    def asked(lists: Mapping[str, str]) -> str:
        args = {name: f"first: $first, after: ${name}" for name in lists}
        return " ".join(f"{name}: {lists[name].replace('ARGS', args[name])}" for name in lists if name in open_)

    return f"""query ($first: Int!, $who: ID!, $acme: AccountKey!, {", ".join(f"${name}: String" for name in open_)}) {{
      {asked(OF_EVERYBODY)}
      profile(by: {{ id: $who }}) {{ id {asked(OF_ONE)} }}
      account(by: {{ key: $acme }}) {{ id {asked(OF_ACCOUNT)} }}
    }}"""


@dataclass(frozen=True)
class Item:
    """What a page shows."""

    id: str
    cursor: str

    @property
    def place(self) -> Place:
        """What its cursor holds."""
        padded = self.cursor + "=" * (-len(self.cursor) % 4)
        return tuple(orjson.loads(base64.urlsafe_b64decode(padded)))


@dataclass
class Walk:
    """Somebody who pages through every list at once. seen: what came, in its order."""

    me: Caller
    who: str
    after: dict[str, str | None] = field(default_factory=lambda: dict.fromkeys(LISTS))
    seen: dict[str, list[Item]] = field(default_factory=lambda: {name: [] for name in LISTS})

    async def whole(self) -> dict[str, list[Item]]:
        """Every list as it is at this moment."""
        return {name: items for name, (items, _) in (await self._asked(100, dict.fromkeys(LISTS))).items()}

    async def on(self, first: int) -> dict[str, list[Item]]:
        """The next page of each list that has more."""
        found = await self._asked(first, self.after)
        for name, (items, end) in found.items():
            self.seen[name] += items
            if end is None:
                del self.after[name]
            else:
                self.after[name] = end
        return {name: items for name, (items, _) in found.items()}

    async def _asked(self, first: int, after: Mapping[str, str | None]) -> dict[str, tuple[list[Item], str | None]]:
        namespace, _, value = ACCOUNT.partition(":")
        given: dict[str, Json] = {"acme": {"namespace": namespace, "value": value}, "who": self.who, "first": first}
        data = await self.me.ask(document(list(after)), **given, **after)
        lists = {**data, **data["profile"], **data["account"]}
        return {name: _page(lists[name]) for name in after}


def _page(shown: Mapping[str, Json]) -> tuple[list[Item], str | None]:
    items = [Item(_id(edge["node"]["id"]), edge["cursor"]) for edge in shown["edges"]]
    more = shown["pageInfo"]
    return items, more["endCursor"] if more["hasNextPage"] else None


def _id(told: Json) -> str:
    return told["id"] if isinstance(told, dict) else told


WHO = 'query ($value: String!) { profile(by: { identifier: { namespace: "user_id", value: $value } }) { id } }'


@FEW
@given(
    st.integers(0, PEOPLE - 1),
    st.lists(st.tuples(st.integers(1, 4), st.lists(some_happening, max_size=3)), min_size=2, max_size=4),
)
async def test_all_that_stays_comes_once_and_in_order_whatever_happens_meanwhile(
    graph: Connection, who: int, steps: list[tuple[int, list[Happening]]]
) -> None:
    company = Company(graph)
    await company.begin()
    me = caller(graph)
    walk = Walk(me, (await me.ask(WHO, value=user(who).partition(":")[2]))["profile"]["id"])
    there = [await walk.whole()]
    for first, happenings in [*steps, (20, []), (100, [])]:
        before = dict(walk.after)
        if not before:
            break
        for name, page in (await walk.on(first)).items():
            assert page == behind(there[-1][name], before[name], ORDER[name])[:first], name
        for each in happenings:
            await company.happen(each)
        if happenings:
            there.append(await walk.whole())
    assert walk.after == {}
    for name, items in walk.seen.items():
        places = [ORDER[name](each.place) for each in items]
        assert places == sorted(set(places)), name
        stayed = set(there[0][name]).intersection(*(each[name] for each in there))
        assert stayed <= set(items), name
        if name not in MOVING:
            shown = [each.id for each in items]
            always = set.intersection(*({item.id for item in each[name]} for each in there))
            assert (always <= set(shown), len(set(shown))) == (True, len(shown)), name


def behind(items: Sequence[Item], after: str | None, order: Callable[[Place], Place]) -> list[Item]:
    """What stands behind a cursor in a whole list."""
    return [each for each in items if after is None or order(each.place) > order(Item("", after).place)]
