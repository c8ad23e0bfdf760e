"""A page costs what it shows, not what there is: db hits of every page of the schema, in a graph and one of four times.

The documents are made from the schema, so a new list, order or filter is looked at by itself. A filter asks for what is
rare: the page looks for what only the last of all has.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
)

from graph.connection import Connection
from graph.keys import Scope
from identity.messages import Json
from resolvers.answering.fields import EXECUTABLE
from resolvers.viewer import Bounds
from tests.resolvers.calling import Caller, caller
from tests.resolvers.growing import OLDEST, SEGMENT, ProfilingReader, begin, grow
from tests.resolvers.people import KIOSK

FEW, MANY = 300, 1_200
FIRST = 5
# How much more a page may cost of four times as much: deeper indexes, other nodes.
MORE = 1.25
SOME = 40

ANNA, ADA, SAM = (
    f'profile(by: {{ identifier: {{ namespace: "user_id", value: "{who}" }} }})' for who in ("anna", "ada", "sam")
)
ACCOUNT = 'account(by: { key: { namespace: "account", value: "all" } })'
# How each type that has lists is come to; `%s` is what is asked of it.
WAYS: Mapping[str, str] = {
    "Query": "%s",
    "Profile": f"{ANNA} {{ %s }}",
    "Profile.accounts": f"{ADA} {{ %s }}",
    "Profile.sharedIdentifiers": f"{SAM} {{ %s }}",
    "Account": f"{ACCOUNT} {{ %s }}",
    "Trait": f'{ANNA} {{ trait(key: "city") {{ %s }} }}',
    "Consent": f"{ANNA} {{ consents {{ %s }} }}",
    "Device": f'device(anonymousId: "{KIOSK.partition(":")[2]}") {{ %s }}',
    "Session": f"{ANNA} {{ sessions(first: 1) {{ edges {{ node {{ %s }} }} }} }}",
    "Segment": "segments { %s }",
    "Source": 'source(name: "web") { %s }',
    "WebhookEndpoint": 'webhookEndpoint(id: "hook") { %s }',
}
# What leads to pages that are asked elsewhere, and why there.
ELSEWHERE = {
    "Contact": "as Device",
    "ContactPoint": "as Device",
    "How": "its steps are the links of one region, which is read whole: 5,000 identifiers at most",
}
# What is given where a list asks for it, by argument.
NEEDED = {
    "from": '{ identifier: { namespace: "user_id", value: "anna" } }',
    "to": '{ identifier: { namespace: "user_id", value: "0001" } }',
    "definition": '{ trait: { name: "city", how: EQUALS, value: "Bergen" } }',
}


def when(text: str) -> str:
    return f'"2025-12-31T{text}:00Z"'


# What each filter asks for: what only the last of the list has.
RARE: Mapping[str, str] = {
    "ProfileFilter.known": "false",
    "ProfileFilter.shared": "true",
    "ProfileFilter.traits": '[{ name: "city", value: "Bergen" }]',
    "ProfileFilter.where": '{ trait: { name: "city", how: EQUALS, value: "Bergen" } }',
    "ProfileFilter.segment": f'"{SEGMENT}"',
    "ProfileFilter.account": '{ key: { namespace: "account", value: "zz" } }',
    "ProfileFilter.firstSeen": f"{{ end: {when('23:59')} }}",
    "ProfileFilter.lastSeen": f"{{ end: {when('23:59')} }}",
    "AccountFilter.namespace": '"crm"',
    "AccountFilter.domain": '"zz.no"',
    "AccountFilter.seenSince": '"2027-01-01T00:00:00Z"',
    "InteractionFilter.types": "[ALIAS]",
    "InteractionFilter.kinds": "[ORDER]",
    "InteractionFilter.names": f'["{OLDEST}"]',
    "InteractionFilter.start": '"2027-01-01T00:00:00Z"',
    "InteractionFilter.end": '"2026-01-01T00:00:00Z"',
    "ChangeFilter.kinds": "[ERASED]",
    "ChangeFilter.since": '"2027-01-01T00:00:00Z"',
    "ChangeFilter.until": when("23:59"),
    "OrderFilter.since": '"2027-01-01T00:00:00Z"',
    "OrderFilter.until": when("23:59"),
    "changes.kinds": "[ERASED]",
    "changes.since": '"2027-01-01T00:00:00Z"',
    "changes.until": when("23:59"),
    "changes.profile": '{ identifier: { namespace: "user_id", value: "zz" } }',
    "suggestions.minScore": "0.9",
    "members.depth": "2",
    "MemberFilter.roles": '["owner"]',
    "profiles.search": '"zz"',
    "accounts.search": '"zz"',
    "connection.maxHops": "6",
}
PLAIN = ("first", "after")

PASSED_OVER = "a filter that no index knows passes over 10,000 at most, then the page is short"
# Pages that may cost more the more there is: how many db hits for each more, and why. By field and what of it is asked.
GROWS: Mapping[str, tuple[float, str]] = {
    **dict.fromkeys(("Query.profiles known", "Query.profiles shared"), (4, PASSED_OVER)),
    **dict.fromkeys(("Query.profiles firstSeen", "Query.profiles lastSeen"), (4, PASSED_OVER)),
    **dict.fromkeys(("Query.profiles traits", "Query.profiles where"), (9, PASSED_OVER)),
    "Query.profiles account": (40, PASSED_OVER),
    **dict.fromkeys(("Query.accounts namespace", "Query.accounts domain"), (6, PASSED_OVER)),
    "Query.accounts seenSince": (6, PASSED_OVER),
    "Query.changes kinds": (4, PASSED_OVER),
    "Profile.interactions types": (8, PASSED_OVER),
    "Profile.interactions kinds": (4, "more than five names are looked up together: a seek for each costs more"),
    "Profile.orders": (4, "every event of an order is looked up in the index: a seek for each name costs more"),
    "Profile.history": (5, "the changes about one person have no order of their own: tens, as a rule"),
    "Account.children": (10, "what one account is made of has no order of its own: dozens, as a rule"),
    "Account.members depth": (26, "each account that is part of it is read, and a page of its people sought"),
    "Query.connection": (4, "of each identifier of a person the newest 1,000 interactions are looked at"),
    "Query.segmentPreview": (6, "it counts everybody of whom the definition is true"),
}


@dataclass(frozen=True)
class Asked:
    """One page: the type, the field, what is given beside `first`, and what of that is no order."""

    kind: str
    name: str
    given: str = ""
    what: str = ""

    def __str__(self) -> str:
        return f"{self.kind}.{self.name}({self.given.removeprefix(', ')})".removesuffix("()")

    @property
    def way(self) -> str:
        return WAYS.get(f"{self.kind}.{self.name}", WAYS[self.kind])

    def document(self, after: str | None = None) -> str:
        begin = f', after: "{after}"' if after else ""
        return f"{{ {self.way % f'page: {self.name}(first: {FIRST}{begin}{self.given}) {_shown(self)}'} }}"

    @property
    def before(self) -> str:
        """What is asked of the way alone."""
        return f"{{ {self.way % '__typename'} }}"

    @property
    def may_grow(self) -> float:
        """How many db hits it may cost for each more that there is."""
        field = f"{self.kind}.{self.name}"
        return GROWS.get(f"{field} {self.what}", GROWS.get(field, (0, "")))[0]


# What is answered otherwise to a key that is restricted to accounts.
CUT = (Asked("Query", "profiles"), Asked("Profile", "colleagues"), Asked("Profile", "accounts"))


def _shown(asked: Asked) -> str:
    kind = EXECUTABLE.type_map[asked.kind]
    assert isinstance(kind, GraphQLObjectType)
    leads_to = kind.fields[asked.name].type
    inner = get_named_type(leads_to)
    assert isinstance(inner, GraphQLObjectType)
    if "pageInfo" in inner.fields:
        return "{ pageInfo { hasNextPage endCursor } edges { cursor } }"
    return "{ __typename }"


def pages() -> Iterator[Asked]:
    """Every list of the schema that takes `first`, in each order, with each filter."""
    for kind in EXECUTABLE.type_map.values():
        if not isinstance(kind, GraphQLObjectType):
            continue
        for name, field in kind.fields.items():
            if "first" in field.args and kind.name in WAYS:
                yield from (Asked(kind.name, name, *way) for way in _ways_to_ask(kind.name, name, field))


def _ways_to_ask(kind: str, name: str, field: GraphQLField) -> Iterator[tuple[str, str]]:
    """What is given, and what of it is no order. What may pass over others is asked in one order alone."""
    needed = "".join(f", {each}: {NEEDED[each]}" for each in field.args if each in NEEDED)
    for number, order in enumerate([f", order: {order}" for order in _orders(field)] or [""]):
        yield needed + order, ""
        for argument, defined in field.args.items():
            if argument not in (*PLAIN, *NEEDED, "order"):
                for what, value in _rare(name, argument, defined):
                    if number == 0 or f"{kind}.{name} {what}" not in GROWS:
                        yield f"{needed}{order}, {argument}: {value}", what


def _orders(field: GraphQLField) -> Iterator[str]:
    order = field.args.get("order")
    if order is not None:
        kind = get_named_type(order.type)
        assert isinstance(kind, GraphQLEnumType)
        yield from kind.values


def _rare(name: str, argument: str, defined: GraphQLArgument) -> Iterator[tuple[str, str]]:
    kind = get_named_type(defined.type)
    if argument != "filter":
        yield argument, RARE[f"{name}.{argument}"]
        return
    assert isinstance(kind, GraphQLInputObjectType)
    for each in kind.fields:
        yield each, f"{{ {each}: {RARE[f'{kind.name}.{each}']} }}"


async def touched(me: Caller, document: str) -> tuple[int, str | None]:
    """How often something that is asked touches the store; and where its page goes on, if it has one and does."""
    reader = me.world.reader
    assert isinstance(reader, ProfilingReader)
    reader.hits.clear()
    answer = await me.ask(document)
    return sum(reader.hits), _end(answer)


def _end(told: Json) -> str | None:
    """The end of the page in an answer."""
    if isinstance(told, list):
        told = told[0] if told else None
    if not isinstance(told, dict):
        return None
    if "pageInfo" in told:
        return told["pageInfo"]["endCursor"] if told["pageInfo"]["hasNextPage"] else None
    return _end(next(iter(told.values())))


async def costs(me: Caller, asked: Sequence[Asked]) -> list[list[int]]:
    """The db hits of the first page of each list, without those of the way to it, and of the next one, if any."""
    ways = {each: (await touched(me, each))[0] for each in sorted({each.before for each in asked})}
    found: list[list[int]] = []
    for each in asked:
        first, end = await touched(me, each.document())
        further = [] if end is None else [(await touched(me, each.document(end)))[0]]
        found.append([many - ways[each.before] for many in (first, *further)])
    return found


@pytest.mark.anyio
@pytest.mark.neo4j
async def test_a_page_costs_what_it_shows_and_not_what_there_is(graph: Connection) -> None:
    world = caller(graph).world
    reader = ProfilingReader(graph.reader.driver, graph.reader.database, graph.reader.bookmarked)
    me = Caller(replace(world, reader=reader), Scope.ADMIN, Bounds(cost=10_000_000))
    asked = list(pages())
    assert {each.kind for each in asked} == WAYS.keys() - {each for each in WAYS if "." in each}
    partner = replace(me, scope=Scope.READ, accounts=("account:team",))

    async def all_costs() -> list[list[int]]:
        return [*await costs(me, asked), *await costs(partner, CUT)]

    await begin(graph)
    await all_costs()  # a service plans its statements when there is next to nothing, and keeps these plans
    await grow(graph, 0, FEW)
    few = await all_costs()
    await grow(graph, FEW, MANY)
    many = await all_costs()
    grown = {
        str(each): (before, after)
        for each, before, after in zip([*asked, *CUT], few, many, strict=True)
        if any(b > a * MORE + SOME + each.may_grow * (MANY - FEW) for a, b in zip(before, after, strict=False))
    }
    assert grown == {}


def test_no_exception_is_of_what_is_not_there() -> None:
    named = {
        name for each in pages() for field in [f"{each.kind}.{each.name}"] for name in (field, f"{field} {each.what}")
    }
    assert GROWS.keys() - named == set()


def test_every_type_with_pages_is_come_to() -> None:
    kinds = {
        kind.name
        for kind in EXECUTABLE.type_map.values()
        if isinstance(kind, GraphQLObjectType) and any("first" in field.args for field in kind.fields.values())
    }
    assert kinds - WAYS.keys() == set(ELSEWHERE)
