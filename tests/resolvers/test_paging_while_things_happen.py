"""Every list of the schema, walked page by page while things happen: all that stays comes once and in order.

The documents are made from the schema, so a new list, or a new order of one, is walked by itself, or fails by its name.
"""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_required_argument,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.connection import Connection
from graph.keys import Scope
from identity.messages import Json, micros
from resolvers.answering.fields import EXECUTABLE
from resolvers.paging import cursor_of
from resolvers.viewer import Bounds
from tests.building import after
from tests.resolvers.calling import Caller, caller
from tests.resolvers.passing_time import (
    ACCOUNT,
    HOME,
    KIOSK,
    PEOPLE,
    Company,
    Happening,
    begun,
    some_happening,
    user,
)

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

FEW = settings(
    max_examples=max(3, settings.default.max_examples // 30),  # type: ignore[union-attr]  # a profile is loaded
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

EVERYWHERE = "%s"
GIVEN = {"first": "Int!", "who": "ID!", "session": "String!"}
PERSON = "profile(by: { id: $who }) { %s }"
DEVICE = f'device(anonymousId: "{KIOSK}") {{ %s }}'
# How each type that has lists is come to, and some lists of their own; `%s` is what is asked of it.
WAYS: Mapping[str, str] = {
    "Query": EVERYWHERE,
    "Profile": PERSON,
    "Profile.sharedBy": DEVICE % "profile { %s }",
    "Session": PERSON % "sessions(first: 1, after: $session) { edges { node { %s } } }",
    "Trait": PERSON % 'trait(key: "city") { %s }',
    "Account": f'account(by: {{ key: {{ namespace: "account", value: "{ACCOUNT.partition(":")[2]}" }} }}) {{ %s }}',
    "Device": DEVICE,
    "Identifier": f'identifier(by: {{ identifier: {{ namespace: "email", value: "{HOME}" }} }}) {{ %s }}',
    "Segment": "segments { %s }",
    "Source": 'source(name: "web") { %s }',
    "WebhookEndpoint": "webhookEndpoints(first: 1) { edges { node { %s } } }",
    "How": "how(profile: { id: $who }) { %s }",
}
ELSEWHERE = {"Contact": "as Identifier", "ContactPoint": "as Identifier"}
# What is asked of some lists besides the whole.
CHOSEN: Mapping[str, Sequence[str]] = {
    "Query.profiles": ("filter: { known: true, shared: false }", 'search: "kim"'),
    "Query.accounts": ('search: "firm"',),
    "Profile.interactions": (
        'filter: { names: ["Viewed"] }',
        'order: OLDEST_FIRST, filter: { names: "Viewed" }',
        "filter: { types: [TRACK] }",
    ),
}
# In these an item may get another place by what is told of it: then it may be missed or come again. An account's people
# stand where the earliest of their identifiers does: who become one, where that of either does, under the id of one.
MOVING = (
    "Account.members",
    "Profile.colleagues",
    "LAST_SEEN",
    "FIRST_SEEN",
    "search",
    "Profile.orders",
    "Profile.suggestions",
    "Query.suggestions",
    "Trait.othersPage",
    "How.steps",
)

# What tells an item from others wherever it stands, by its field.
TELLING = {
    "id": "id",
    **{each: f"{each} {{ id }}" for each in ("profile", "account", "identifier")},
}

Place = tuple[Any, ...]


def up(place: Place) -> Place:
    return place


def down(place: Place) -> Place:
    """The latest first, then the greatest id first."""
    return tuple((*(-ord(char) for char in each), 1) if isinstance(each, str) else -each for each in place)


def of_order(place: Place) -> Place:
    """The latest event first; of those of one event the smallest key first."""
    return (*down(place[:2]), place[2])


def of_hit(place: Place) -> Place:
    """The best hit first."""
    return (-place[0], *place[1:])


ORDERS: Mapping[str, Callable[[Place], Place]] = {
    **dict.fromkeys(("ID", "KEY", "OLDEST_FIRST"), up),
    **dict.fromkeys(("LAST_SEEN", "FIRST_SEEN", "NEWEST_FIRST"), down),
}
# What these do not say: by what the cursors hold, the least first, where nothing is said here either.
ORDER: Mapping[str, Callable[[Place], Place]] = {
    **dict.fromkeys(("Trait.othersPage", "WebhookEndpoint.deliveries"), down),
    "Profile.orders order: NEWEST_FIRST": of_order,
}


@dataclass(frozen=True)
class Asked:
    """One list. path: its type and field; given: what is asked of it beside the page; shown: what tells an item."""

    path: str
    given: str
    shown: str

    def __str__(self) -> str:
        return f"{self.path} {self.given}".strip()

    @property
    def way(self) -> str:
        return WAYS[self.path if self.path in WAYS else self.path.partition(".")[0]]

    def field(self, alias: str) -> str:
        """A page of it, under a name, behind the cursor in the variable of that name."""
        args = f"first: $first, after: ${alias}, {self.given}"
        shown = f"pageInfo {{ hasNextPage endCursor }} edges {{ cursor node {{ {self.shown} }} }}"
        return f"{alias}: {self.path.partition('.')[2]}({args}) {{ {shown} }}"

    @property
    def order(self) -> Callable[[Place], Place]:
        if "search:" in self.given:
            return of_hit
        named = self.given.partition("order: ")[2].partition(",")[0]
        return ORDER.get(str(self)) or (ORDERS[named] if named else up)

    @property
    def moves(self) -> bool:
        return any(each in str(self) for each in MOVING)


def lists() -> Iterator[Asked]:
    """Every field of the schema that goes on after a cursor, in each of its orders."""
    for kind in EXECUTABLE.type_map.values():
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) or kind is EXECUTABLE.subscription_type:
            continue
        for name, defined in kind.fields.items():
            if "after" in defined.args and kind.name not in ELSEWHERE:
                path = f"{kind.name}.{name}"
                assert not [each for each, said in defined.args.items() if is_required_argument(said)], path
                for given_ in (*_orders(defined.args.get("order")), *CHOSEN.get(path, ())):
                    yield Asked(path, _with_order(given_, defined), _telling(defined))


def _orders(order: GraphQLArgument | None) -> Sequence[str]:
    if order is None:
        return ("",)
    kind = get_named_type(order.type)
    assert isinstance(kind, GraphQLEnumType)
    return [f"order: {each}" for each in kind.values]


def _with_order(given_: str, defined: GraphQLField) -> str:
    """What is asked, with the order that stands where none is asked for."""
    order = defined.args.get("order")
    if order is None or "order:" in given_ or "search:" in given_:
        return given_
    return f"order: {order.default_value.name}, {given_}"


def _telling(defined: GraphQLField) -> str:
    """What tells one item from another, and is the same wherever it stands; its place where nothing else is."""
    node = _inner(_inner(get_named_type(defined.type), "edges"), "node")
    return next((TELLING[each] for each in TELLING if each in node.fields), "__typename")


def _inner(kind: GraphQLNamedType | None, name: str) -> GraphQLObjectType | GraphQLInterfaceType:
    assert isinstance(kind, GraphQLObjectType)
    inner = get_named_type(kind.fields[name].type)
    assert isinstance(inner, GraphQLObjectType | GraphQLInterfaceType)
    return inner


LISTS = {f"l{number}": each for number, each in enumerate(lists())}


def document(open_: Sequence[str]) -> str:
    """All lists that are walked, each from its own cursor on; those to which one way leads together."""
    ways: dict[str, list[str]] = {}
    for name in open_:
        ways.setdefault(LISTS[name].way, []).append(LISTS[name].field(name))
    told = [_aliased(f"w{number}", way) % " ".join(fields) for number, (way, fields) in enumerate(ways.items())]
    text = " ".join(told)
    given_ = {name: kind for name, kind in GIVEN.items() if f"${name}" in text} | dict.fromkeys(open_, "String")
    return f"query ({', '.join(f'${name}: {kind}' for name, kind in given_.items())}) {{ {text} }}"


def _aliased(alias: str, way: str) -> str:
    return way if way == EVERYWHERE else f"{alias}: {way}"


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
    """Somebody who pages through every list at once. person: whose lists; seen: what came, in its order."""

    me: Caller
    who: str
    person: int
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

    async def _asked(self, first: int, after_: Mapping[str, str | None]) -> dict[str, tuple[list[Item], str | None]]:
        session = cursor_of((micros(after(begun(self.person) + 50)),))  # behind which her first one comes
        data = await self.me.ask(document(list(after_)), who=self.who, session=session, first=first, **after_)
        found = dict(_pages(data))
        return {name: found[name] for name in after_}


def _pages(told: Json) -> Iterator[tuple[str, tuple[list[Item], str | None]]]:
    """The pages in an answer, by their names."""
    for name, inner in told.items() if isinstance(told, dict) else ():
        if name in LISTS:
            assert inner is not None, LISTS[name]
            yield name, _page(inner)
        else:
            for each in inner if isinstance(inner, list) else (inner,):
                yield from _pages(each)


def _page(shown: Mapping[str, Json]) -> tuple[list[Item], str | None]:
    items = [Item(_id(edge["node"]) or edge["cursor"], edge["cursor"]) for edge in shown["edges"]]
    more = shown["pageInfo"]
    return items, more["endCursor"] if more["hasNextPage"] else None


def _id(node: Json) -> str | None:
    """What tells an item from others, however deep it is asked for; nothing else is."""
    if not isinstance(node, dict):
        return node
    return None if "__typename" in node else _id(*node.values())


def behind(items: Sequence[Item], after_: str | None, order: Callable[[Place], Place]) -> list[Item]:
    """What stands behind a cursor in a whole list."""
    return [each for each in items if after_ is None or order(each.place) > order(Item("", after_).place)]


def kept(walk: Walk, there: Sequence[Mapping[str, Sequence[Item]]]) -> None:
    """What was there all the while came exactly once, and everything in order. there: the lists, time after time."""
    for name, items in walk.seen.items():
        asked = LISTS[name]
        places = [asked.order(each.place) for each in items]
        assert places == sorted(set(places)), asked
        stayed = set(there[0][name]).intersection(*(each[name] for each in there))
        assert stayed <= set(items), asked
        if not asked.moves:
            shown = [each.id for each in items]
            always = set.intersection(*({item.id for item in each[name]} for each in there))
            assert (always <= set(shown), len(set(shown))) == (True, len(shown)), asked


WHO = 'query ($value: String!) { profile(by: { identifier: { namespace: "user_id", value: $value } }) { id } }'
OF_HOME = 4  # so many people share an address, so that each of their lists holds something
pair = st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1))


@FEW
@given(
    st.integers(0, OF_HOME - 1),
    st.lists(st.tuples(st.integers(1, 4), pair, st.lists(some_happening, max_size=2)), min_size=2, max_size=3),
)
async def test_all_that_stays_comes_once_and_in_order_whatever_happens_meanwhile(
    graph: Connection, person: int, steps: list[tuple[int, tuple[int, int], list[Happening]]]
) -> None:
    """Before each page there is more of everything, and people are merged and split by turns."""
    company = Company(graph)
    await company.begin()
    me = replace(caller(graph, Scope.ADMIN), bounds=Bounds(cost=10_000_000))
    walk = Walk(me, (await me.ask(WHO, value=user(person).partition(":")[2]))["profile"]["id"], person)
    there = [await walk.whole()]
    assert [str(LISTS[name]) for name, items in there[0].items() if len(items) < 2] == []
    for number, (first, two, happenings) in enumerate([*steps, (20, (0, 0), []), (100, (0, 0), [])]):
        before = dict(walk.after)
        if not before:
            break
        for name, page in (await walk.on(first)).items():
            assert page == behind(there[-1][name], before[name], LISTS[name].order)[:first], LISTS[name]
        if number < len(steps):
            await company.more(number)
            for each in [(("merges", "splits")[number % 2], *two), *happenings]:
                await company.happen(each)
            await company.follow()
            there.append(await walk.whole())
    assert walk.after == {}
    kept(walk, there)


def test_every_type_with_lists_is_come_to_in_a_way_of_its_own() -> None:
    kinds = {each.path.partition(".")[0] for each in LISTS.values()}
    assert kinds == {each.partition(".")[0] for each in WAYS}
