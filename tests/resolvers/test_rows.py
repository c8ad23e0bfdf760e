"""Who is restricted to accounts sees their people alone, by every way that leads to anybody."""

import json
from inspect import iscoroutine
from typing import cast

import pytest
from graphql import (
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    get_named_type,
    is_leaf_type,
)

from graph.connection import Connection
from graph.keys import Scope
from resolvers.answering.executing import EXECUTABLE
from resolvers.ids import Noun, global_id
from resolvers.permissions import check_access
from resolvers.rows import COUNTS, INSIDE, LOOKED_AT, OWN, REFUSED_ROOTS, ROOTS, cut
from resolvers.viewer import Viewer
from tests.graph.world import World
from tests.resolvers.calling import Caller, caller
from tests.resolvers.test_masking import everything, told

FERN, FOREIGN = "account:fern", ("rob", "rival", "holding", "loner", "B-1", "secret")


def neighbours() -> World:
    """Anna of Fern, who also works for a rival; Cara of a part of Fern; Rob of the rival; somebody of no account.

    Anna and Rob share a kiosk, and a phone, which Cara shares as well. Fern is part of a holding. Some things are for
    an account, some are somebody's, and Anna did something to one that is nothing of hers.
    """
    made = World().person("anna", "user_id:anna", "anonymous_id:a1", "email:anna@fern.no", city="Oslo")
    made.person("cara", "user_id:cara", "email:cara@fern.no", city="Oslo")
    made.person("rob", "user_id:rob", "anonymous_id:rob-web", "email:rob@rival.no", city="Bergen")
    made.person("loner", "user_id:loner", "email:loner@nowhere.no")
    made.person("kiosk", "anonymous_id:kiosk", known=False, shared="values")
    made.person("desk", "phone:+4799887766", known=False, shared="values")
    for key in ("anonymous_id:kiosk", "phone:+4799887766"):
        made.shares("anna", key, (10, 20)).shares("rob", key, (30, 40))
        made.linked("user_id:anna", key, reason="generic").linked("user_id:rob", key, reason="generic")
    made.shares("cara", "phone:+4799887766").linked("user_id:cara", "phone:+4799887766", reason="generic")
    made.account("account:holding", "Holding").account("account:fern", "Fern", parent="account:holding")
    made.account("account:part", "Fern Parts", parent="account:fern").account("account:rival", "Rival")
    made.member("user_id:anna", "account:fern", "buyer", 5).member("user_id:cara", "account:part", "owner")
    made.member("user_id:anna", "account:rival", "spy").member("user_id:rob", "account:rival", "owner")
    made.member("anonymous_id:kiosk", "account:fern")
    made.did("anonymous_id:a1", 1, "Home", id="web:1", type="page").did("user_id:cara", 2, "Paid", id="web:2")
    made.did("user_id:rob", 3, "Bought", id="web:rob", properties='{"sku":"B-1"}')
    made.did("user_id:rob", 4, "Ordered", id="web:theirs").did("user_id:anna", 5, "Ordered", id="web:hers")
    made.did("user_id:anna", 6, "Helped", id="web:helped")
    for label in ("Order", "Deal", "Ticket"):
        made.thing(label, "shop:hers", "web:hers", account="account:rival")
        made.thing(label, "shop:for-part", "web:theirs", account="account:part")
        made.thing(label, "shop:secret", "web:theirs", "web:helped", account="account:rival", name="secret")
    return made.thing("Product", "shop:B-2", "web:hers").thing("Campaign", "ads:1", "web:hers").thing("Product", "B-1")


FIELDS = [
    (kind.name, name, field.type)
    for kind in EXECUTABLE.type_map.values()
    if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
    for name, field in kind.fields.items()
]
INFO = cast("GraphQLResolveInfo", None)


def is_refused(kind: str, name: str, leads_to: GraphQLOutputType) -> bool:
    """Whether nothing is read for it either."""
    read: list[str] = []
    try:
        found = cut(kind, name, leads_to)(lambda *_, **__: read.append(name), None, INFO, {})
    except GraphQLError:
        return not read
    except AttributeError:  # a reading of its own, which needs a request
        return False
    if iscoroutine(found):
        found.close()
    return False


REFUSED = frozenset((kind, name) for kind, name, leads_to in FIELDS if is_refused(kind, name, leads_to))


def test_what_nobody_said_of_is_refused() -> None:
    named = INSIDE | LOOKED_AT | COUNTS | OWN.keys()
    led = {(kind, name) for kind, name, leads_to in FIELDS if not is_leaf_type(get_named_type(leads_to))}
    pages = {(kind, name) for kind, name in led if kind.endswith(("Connection", "Edge"))}
    assert led - named - pages == REFUSED
    assert {
        ("Profile", "history"),
        ("Subscription", "segmentChanged"),
        ("Device", "sharedWith"),
        ("Mutation", "erase"),
    } <= REFUSED


async def partner(graph: Connection) -> Caller:
    await neighbours().write(graph.writer)
    return Caller(caller(graph).world, accounts=(FERN,))


ANNA = 'profile(by: {identifier: {namespace: "user_id", value: "anna"}})'
IDS = [
    *((Noun.PROFILE, each) for each in ("anna", "cara", "rob", "kiosk")),
    *((Noun.INTERACTION, each) for each in ("web:rob", "web:helped", "web:theirs")),
    *((noun, f"shop:{each}") for noun in (Noun.ORDER, Noun.DEAL, Noun.TICKET) for each in ("hers", "secret")),
    *((Noun.ACCOUNT, FERN), (Noun.ACCOUNT, "account:rival"), (Noun.IDENTIFIER, "rob"), (Noun.PRODUCT, "B-1")),
]
WAYS = (
    ANNA,
    'account(by: {key: {namespace: "account", value: "fern"}})',
    'account(by: {key: {namespace: "account", value: "part"}})',
    "profiles",
    'device(anonymousId: "a1")',
    'identifier(by: {identifier: {namespace: "email", value: "anna@fern.no"}})',
    *(f'{each}(by: {{key: {{source: "shop", id: "hers"}}}})' for each in ("order", "deal", "ticket")),
    f'node(id: "{global_id(Noun.PROFILE, "cara")}")',
    f"nodes(ids: {json.dumps([global_id(*each) for each in IDS])})",
)


def test_every_root_that_can_be_asked_is_a_way() -> None:
    assert EXECUTABLE.query_type is not None
    assert {each.partition("(")[0] for each in WAYS} == ROOTS & EXECUTABLE.query_type.fields.keys()


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_whatever_is_asked_nobody_of_another_account_is_in_an_answer(graph: Connection) -> None:
    me = await partner(graph)
    for way in WAYS:
        answer = await everything(me, way, 3 if way == ANNA else 1 if way.startswith("nodes") else 2, REFUSED)
        text = told(answer)
        assert {each for each in FOREIGN if each in text} == set(), way
        assert answer["errors"] == []
        assert any(own in text.lower() for own in ("anna", "a1", "fern", "hers")), way
    all_ = told(await everything(Caller(me.world), ANNA, 3))
    assert {each for each in FOREIGN if each in all_} >= {"rob", "rival", "B-1", "secret"}


HIDDEN_IDENTIFIERS = ("user_id:rob", "anonymous_id:kiosk", "phone:+4799887766", "email:no@fern.no")


def _named(key: str) -> str:
    namespace, _, value = key.partition(":")
    return f'{{namespace: "{namespace}", value: "{value}"}}'


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_what_is_named_and_not_seen_is_as_if_it_were_unknown(graph: Connection) -> None:
    me = await partner(graph)
    lookups = [f'profile(by: {{id: "{each}"}}) {{ id }}' for each in ("rob", "loner", "kiosk", "never")]
    lookups += [
        f'profile(by: {{identifier: {{namespace: "user_id", value: "{each}"}}}}) {{ id }}' for each in ("rob", "no")
    ]
    lookups += [
        f'account(by: {{key: {{namespace: "account", value: "{each}"}}}}) {{ id }}' for each in ("rival", "holding")
    ]
    lookups += [f'device(anonymousId: "{each}") {{ id }}' for each in ("rob-web", "kiosk")]
    lookups += [f"identifier(by: {{identifier: {_named(each)}}}) {{ id }}" for each in HIDDEN_IDENTIFIERS]
    await graph.writer.command("CREATE (:Erased {mint: 'was-rob'})")
    minted = ("rob", "kiosk", "never", "was-rob")
    lookups += [f'identifier(by: {{id: "{global_id(Noun.IDENTIFIER, each)}"}}) {{ id }}' for each in minted]
    found = await me.ask("{ " + " ".join(f"a{number}: {each}" for number, each in enumerate(lookups)) + " }")
    assert set(found.values()) == {None}
    ids = [(Noun.PROFILE, "anna"), (Noun.PROFILE, "rob"), (Noun.ACCOUNT, "account:rival"), (Noun.ACCOUNT, FERN),
           (Noun.INTERACTION, "web:rob"), (Noun.INTERACTION, "web:1"),
           (Noun.SEGMENT, "x"), (Noun.CHANGE, "x")]  # fmt: skip
    asked = [global_id(*each) for each in ids]
    nodes = (await me.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=asked))["nodes"]
    assert nodes == [{"id": asked[number]} if number in (0, 3, 5) else None for number in range(len(ids))]


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_pages_hold_only_who_is_seen_and_go_on_after_them(graph: Connection) -> None:
    me = await partner(graph)
    page = "{ profiles(first: 1%s) { edges { node { id } } pageInfo { hasNextPage endCursor } } }"
    first = (await me.ask(page % ""))["profiles"]
    second = (await me.ask(page % f', after: "{first["pageInfo"]["endCursor"]}"'))["profiles"]
    assert [each["pageInfo"]["hasNextPage"] for each in (first, second)] == [True, False]
    ids = [edge["node"]["id"] for each in (first, second) for edge in each["edges"]]
    assert ids == [global_id(Noun.PROFILE, each) for each in ("anna", "cara")]
    work = "accounts { edges { node { account { value } } } } colleagues { edges { node { id } } }"
    assert (await me.ask(f"{{ {ANNA} {{ {work} }} }}"))["profile"] == {
        "accounts": {"edges": [{"node": {"account": {"value": "fern"}}}]},
        "colleagues": {"edges": []},
    }


@pytest.mark.neo4j
@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["order", "deal", "ticket"])
async def test_a_thing_is_seen_where_its_account_is_or_whom_it_belongs_to(graph: Connection, kind: str) -> None:
    me = await partner(graph)
    asked = f'%s: {kind}(by: {{key: {{source: "shop", id: "%s"}}}}) {{ key profile {{ id }} account {{ value }} }}'
    names = {"a": "hers", "b": "for-part", "c": "secret", "d": "never"}
    found = await me.ask("{ " + " ".join(asked % each for each in names.items()) + " }")
    assert found == {
        "a": {"key": "shop:hers", "profile": {"id": global_id(Noun.PROFILE, "anna")}, "account": None},
        "b": {"key": "shop:for-part", "profile": None, "account": {"value": "part"}},
        "c": None,
        "d": None,
    }


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_a_thing_for_an_account_that_was_merged_is_for_the_one_it_goes_by_now(graph: Connection) -> None:
    me = await partner(graph)
    await graph.writer.command(
        """MATCH (fern:Account {key: 'account:fern'}), (deal:Deal {key: 'shop:secret'})
        CREATE (old:Account {key: 'account:old', namespace: 'account', value: 'old', first_seen: 1, last_seen: 1})
        CREATE (old)-[:MERGED_INTO]->(fern)
        SET deal.account = 'account:old'"""
    )
    found = await me.ask('{ deal(by: {key: {source: "shop", id: "secret"}}) { account { value } profile { id } } }')
    assert found["deal"] == {"account": {"value": "fern"}, "profile": None}


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_a_household_is_of_who_is_seen_as_if_nobody_else_shared_anything(graph: Connection) -> None:
    me = await partner(graph)
    asked = (
        "household(first: 1) { totalCount leftOut { id } pageInfo { hasNextPage } edges { node { profile { id } } } }"
    )
    assert (await me.ask(f"{{ {ANNA} {{ {asked} }} }}"))["profile"]["household"] == {
        "totalCount": 1,
        "leftOut": [],
        "pageInfo": {"hasNextPage": False},
        "edges": [{"node": {"profile": {"id": global_id(Noun.PROFILE, "cara")}}}],
    }


@pytest.mark.neo4j
@pytest.mark.anyio
async def test_a_list_is_looked_at_in_as_many_statements_as_one_of_its_like(graph: Connection) -> None:
    me = await partner(graph)
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    for noun, who in (
        (Noun.PROFILE, ["anna", "cara", "rob", "loner"]),
        (Noun.ORDER, ["shop:hers", "shop:for-part", "shop:secret"]),
    ):
        counts = []
        for some in (who[:1], who):
            me.statements.clear()
            await me.ask(nodes, ids=[global_id(noun, each) for each in some])
            counts.append(len(me.statements))
        assert counts[0] == counts[1]


@pytest.mark.neo4j
@pytest.mark.anyio
@pytest.mark.parametrize(
    "asked",
    [
        "{ changes { edges { cursor } } }",
        "{ segments { name } }",
        "{ suggestions { edges { cursor } } }",
        '{ profiles(search: "rob") { edges { cursor } } }',
        "{ profiles(filter: {known: true}) { edges { cursor } } }",
        f"{{ {ANNA} {{ history {{ edges {{ cursor }} }} }} }}",
        '{ profile(by: {id: "anna"}, asOf: "2030-01-01T00:00:00Z") { id } }',
        'mutation { undoDecision(decision: "x") { __typename } }',
    ],
)
async def test_what_cannot_be_cut_is_refused(graph: Connection, asked: str) -> None:
    me = Caller((await partner(graph)).world, accounts=(FERN,))
    assert await me.refused(asked) == "key_scope"


def test_every_root_field_that_nobody_allowed_is_refused() -> None:
    kinds = (EXECUTABLE.query_type, EXECUTABLE.subscription_type, EXECUTABLE.mutation_type)
    query, subscription, mutation = (set(kind.fields if kind else ()) - ROOTS for kind in kinds)
    for name in query | subscription | mutation:
        with pytest.raises(Exception, match="key"):
            check_access([name], Viewer(Scope.ADMIN, accounts=(FERN,)))
    assert REFUSED_ROOTS.keys() == query | subscription


def test_no_rule_is_for_a_field_that_is_not_there() -> None:
    kinds = [
        each for each in EXECUTABLE.type_map.values() if isinstance(each, GraphQLObjectType | GraphQLInterfaceType)
    ]
    fields = {(kind.name, name) for kind in kinds for name in kind.fields}
    assert (INSIDE | LOOKED_AT | COUNTS | OWN.keys()) - fields == set()
