"""Profiles over GraphQL: found in every way, with every field."""

import pytest

from graph.connection import Connection
from resolvers.ids import Noun, global_id
from tests.resolvers.calling import Caller, caller
from tests.resolvers.people import family

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

ANNA = global_id(Noun.PROFILE, "anna")
BY_EMAIL = 'query ($value: String!) { profile(by: { identifier: { namespace: "email", value: $value } }) { id } }'


async def settled(graph: Connection) -> Caller:
    await family().write(graph.writer)
    return caller(graph)


async def of(me: Caller, who: str, selected: str) -> dict:
    found = await me.ask(f"query ($id: ID!) {{ profile(by: {{ id: $id }}) {{ {selected} }} }}", id=who)
    profile = found["profile"]
    assert isinstance(profile, dict)
    return profile


@pytest.mark.parametrize("written", ["anna@fern.no", " Anna@Fern.NO", "anna\u200b@fern.no"])
async def test_an_identifier_is_normalised_before_it_is_looked_up(graph: Connection, written: str) -> None:
    me = await settled(graph)
    assert await me.ask(BY_EMAIL, value=written) == {"profile": {"id": ANNA}}


async def test_what_is_not_known_is_null(graph: Connection) -> None:
    me = await settled(graph)
    assert await me.ask(BY_EMAIL, value="nobody@fern.no") == {"profile": None}
    assert await me.ask('{ profile(by: { id: "gone" }) { id interactions { edges { cursor } } } }') == {"profile": None}
    assert await me.ask(
        '{ device(anonymousId: "gone") { id } account(by: { key: { namespace: "a", value: "b" } }) { id } }'
    ) == {
        "device": None,
        "account": None,
    }


@pytest.mark.parametrize("asked", [ANNA, "anna"])
async def test_an_id_is_the_global_one_or_the_plain_one(graph: Connection, asked: str) -> None:
    me = await settled(graph)
    assert await of(me, asked, "id redirectedFrom") == {"id": ANNA, "redirectedFrom": None}


@pytest.mark.parametrize("selected", ["id redirectedFrom", "id redirectedFrom devices { value }"])
async def test_an_id_that_is_no_longer_its_own_says_so(graph: Connection, selected: str) -> None:
    me = await settled(graph)
    found = await of(me, global_id(Noun.PROFILE, "anna-1"), selected)
    assert (found["id"], found["redirectedFrom"]) == (ANNA, global_id(Noun.PROFILE, "anna-1"))


async def test_a_profile_says_what_it_is_and_since_when(graph: Connection) -> None:
    me = await settled(graph)
    assert await of(me, "anna", "known shared pending firstSeen lastSeen __typename") == {
        "known": True,
        "shared": False,
        "pending": False,
        "firstSeen": "2026-01-01T00:00:00Z",
        "lastSeen": "2026-01-01T00:01:00Z",
        "__typename": "Profile",
    }


async def test_traits_are_all_or_those_asked_for_in_any_spelling(graph: Connection) -> None:
    me = await settled(graph)
    found = await of(
        me,
        "anna",
        'traits { name value source } some: traits(keys: ["shoe", "none"]) { value } '
        'trait(key: "city") { value } no: trait(key: "x") { value }',
    )
    assert found == {
        "traits": [{"name": "city", "value": "Oslo", "source": "web"}, {"name": "shoe", "value": 38, "source": "web"}],
        "some": [{"value": 38}],
        "trait": {"value": "Oslo"},
        "no": None,
    }


async def test_identifiers_are_told_apart_by_what_they_name(graph: Connection) -> None:
    me = await settled(graph)
    found = await of(me, "anna", "devices { value __typename } contacts { value } contactPoints { namespace value }")
    assert found == {
        "devices": [{"value": "a1", "__typename": "Device"}, {"value": "a2", "__typename": "Device"}],
        "contacts": [{"value": "anna"}],
        "contactPoints": [{"namespace": "email", "value": "anna@fern.no"}],
    }


async def test_identifiers_come_in_pages_first_seen_first(graph: Connection) -> None:
    me = await settled(graph)
    page = (
        "identifiers(first: 3%s) { edges { node { value __typename } } "
        "pageInfo { hasNextPage hasPreviousPage endCursor } }"
    )
    first = (await of(me, "anna", page % ""))["identifiers"]
    assert [edge["node"]["__typename"] for edge in first["edges"]] == ["Contact", "Device", "ContactPoint"]
    rest = (await of(me, "anna", page % f', after: "{first["pageInfo"]["endCursor"]}"'))["identifiers"]
    assert [edge["node"]["value"] for edge in rest["edges"]] == ["a2"]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert (first["pageInfo"]["hasPreviousPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)


async def test_accounts_and_colleagues_follow_the_person(graph: Connection) -> None:
    me = await settled(graph)
    asked = "accounts { edges { node { role source since account { name } } } } colleagues { edges { node { id } } }"
    found = await of(me, "anna", asked)
    fern = {"role": "buyer", "source": "crm", "since": "2026-01-01T00:00:00Z", "account": {"name": "Fern"}}
    assert found == {
        "accounts": {"edges": [{"node": fern}]},
        "colleagues": {"edges": [{"node": {"id": global_id(Noun.PROFILE, "ben")}}]},
    }


async def test_a_shared_device_says_who_shares_it(graph: Connection) -> None:
    me = await settled(graph)
    found = await me.ask(
        '{ device(anonymousId: "kiosk") { generic sharedBy profile { shared sharedBy(first: 1) '
        "{ totalCount edges { node { id } } pageInfo { hasNextPage } } } } }"
    )
    assert found["device"] == {
        "generic": "VALUES",
        "sharedBy": 2,
        "profile": {
            "shared": True,
            "sharedBy": {"totalCount": 2, "edges": [{"node": {"id": ANNA}}], "pageInfo": {"hasNextPage": True}},
        },
    }


async def test_a_person_says_what_she_shares(graph: Connection) -> None:
    me = await settled(graph)
    asked = "sharedIdentifiers { edges { node { identifier { value sharedBy } } } } sharedBy { totalCount }"
    found = await of(me, "anna", asked)
    assert found == {
        "sharedIdentifiers": {"edges": [{"node": {"identifier": {"value": "kiosk", "sharedBy": 2}}}]},
        "sharedBy": {"totalCount": 0},
    }


IDENTIFIER = "query ($by: IdentifierBy!) { identifier(by: $by) { __typename id value profile { id } } }"


@pytest.mark.parametrize(
    ("namespace", "value", "kind", "whose"),
    [
        ("user_id", "anna", "Contact", "anna"),
        ("email", " Anna@Fern.NO", "ContactPoint", "anna"),
        ("anonymous_id", "a1", "Device", "anna"),
        ("anonymous_id", "kiosk", "Device", "kiosk"),
    ],
)
async def test_an_identifier_is_found_by_its_name_and_by_its_id(
    graph: Connection, namespace: str, value: str, kind: str, whose: str
) -> None:
    me = await settled(graph)
    found = (await me.ask(IDENTIFIER, by={"identifier": {"namespace": namespace, "value": value}}))["identifier"]
    assert isinstance(found, dict)
    assert (found["__typename"], found["value"]) == (kind, value.strip().lower())
    assert found["profile"] == {"id": global_id(Noun.PROFILE, whose)}
    assert len(me.statements) == 2
    assert (await me.ask(IDENTIFIER, by={"id": found["id"]}))["identifier"] == found
    assert (await me.ask("query ($id: ID!) { node(id: $id) { id } }", id=found["id"]))["node"] == {"id": found["id"]}


async def test_an_id_of_an_identifier_says_what_became_of_it(graph: Connection) -> None:
    me = await settled(graph)
    await graph.writer.command(
        "CREATE (:Erased {mint: 'erased'}), (:FormerId {id: 'f', mint: 'former', now: 'anna'}), "
        "(:FormerId {id: 'b', mint: 'blocked'})"
    )
    by = {name: {"id": global_id(Noun.IDENTIFIER, name)} for name in ("never", "erased", "former", "blocked")}
    assert await me.ask(IDENTIFIER, by=by["never"]) == {"identifier": None}
    assert [await me.refused(IDENTIFIER, by=by[each]) for each in ("erased", "blocked")] == ["erased"] * 2
    former = (await me.ask(IDENTIFIER, by=by["former"]))["identifier"]
    assert isinstance(former, dict)
    assert former["id"] == global_id(Noun.IDENTIFIER, "anna")


async def listed(me: Caller, arguments: str) -> tuple[list[str], str | None]:
    page = (await me.ask(f"{{ profiles{arguments} {{ edges {{ node {{ id }} }} pageInfo {{ endCursor }} }} }}"))[
        "profiles"
    ]
    assert isinstance(page, dict)
    return [edge["node"]["id"] for edge in page["edges"]], page["pageInfo"]["endCursor"]


async def test_profiles_come_page_by_page(graph: Connection) -> None:
    me = await settled(graph)
    first, cursor = await listed(me, "(first: 2)")
    rest, end = await listed(me, f'(first: 2, after: "{cursor}")')
    assert [*first, *rest] == [global_id(Noun.PROFILE, who) for who in ("anna", "ben", "kiosk")]
    assert await listed(me, f'(after: "{end}")') == ([], None)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("known: false", ["kiosk"]),
        ("shared: false", ["anna", "ben"]),
        ('traits: [{ name: "city", value: "Oslo" }]', ["anna"]),
        ('known: true, traits: [{ name: "city", value: "Rome" }]', []),
    ],
)
async def test_a_filter_chooses_profiles(graph: Connection, wanted: str, expected: list[str]) -> None:
    me = await settled(graph)
    found, _ = await listed(me, f"(filter: {{ {wanted} }})")
    assert found == [global_id(Noun.PROFILE, who) for who in expected]


async def test_a_search_finds_profiles_in_pages(graph: Connection) -> None:
    made = family()
    for number in range(3):
        made.person(f"k{number}", f"user_id:k{number}", name="Kim Fern", email=f"k{number}@fern.no")
    await made.write(graph.writer)
    me = caller(graph)
    first, cursor = await listed(me, '(search: "kim", first: 2)')
    rest, _ = await listed(me, f'(search: "kim", first: 2, after: "{cursor}")')
    assert sorted([*first, *rest]) == [global_id(Noun.PROFILE, f"k{number}") for number in range(3)]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ profiles(first: 0) { edges { cursor } } }", "first_out_of_range"),
        ("{ profiles(first: 101) { edges { cursor } } }", "first_out_of_range"),
        ("{ profiles(first: -1) { edges { cursor } } }", "first_out_of_range"),
        ('{ profiles(after: "nonsense") { edges { cursor } } }', "bad_cursor"),
        ('{ profiles(after: "é") { edges { cursor } } }', "bad_cursor"),
        ('{ profiles(after: "WzFd") { edges { cursor } } }', "bad_cursor"),
        ('{ profiles(search: "a", after: "WyJhIl0") { edges { cursor } } }', "bad_cursor"),
        (f'{{ profiles(search: "{"a" * 201}") {{ edges {{ cursor }} }} }}', "too_many_values"),
        ('{ profiles(filter: { traits: [{ name: "shoe", value: 1 }] }) { edges { cursor } } }', "unknown_trait"),
        ('{ profiles(filter: { traits: [{ name: "city", value: [1] }] }) { edges { cursor } } }', "value_invalid"),
        ('{ profile(by: { id: "anna" }) { interactions(first: 0) { edges { cursor } } } }', "first_out_of_range"),
        ('{ profile(by: { id: "anna" }) { interactions(first: 101) { edges { cursor } } } }', "first_out_of_range"),
        ('{ profile(by: { id: "anna" }) { interactions(after: "WyJhIl0") { edges { cursor } } } }', "bad_cursor"),
        ('{ profile(by: { id: "anna" }) { sessions(after: "x") { edges { cursor } } } }', "bad_cursor"),
        ('{ profile(by: { id: "SWRlbnRpZmllcjp4" }) { id } }', "bad_id"),
        ('{ node(id: "nonsense") { id } }', "bad_id"),
        ('{ node(id: "TnVuOng") { id } }', "bad_id"),
        ('{ device(anonymousId: "undefined") { id } }', "identifier_blocked"),
        ('{ device(anonymousId: " ") { id } }', "identifier_empty"),
        (f'{{ device(anonymousId: "{"a" * 513}") {{ id }} }}', "identifier_too_long"),
        ('{ profile(by: { identifier: { namespace: "email", value: "no address" } }) { id } }', "identifier_invalid"),
        ('{ profile(by: { identifier: { namespace: "Not One!", value: "x" } }) { id } }', "namespace_invalid"),
        ('{ account(by: { id: "nonsense" }) { id } }', "bad_id"),
        ('{ identifier(by: { id: "nonsense" }) { id } }', "bad_id"),
        (f'{{ identifier(by: {{ id: "{ANNA}" }}) {{ id }} }}', "bad_id"),
        ('{ identifier(by: { identifier: { namespace: "Not One!", value: "x" } }) { id } }', "namespace_invalid"),
        ('{ identifier(by: { identifier: { namespace: "user_id", value: "null" } }) { id } }', "identifier_blocked"),
    ],
)
async def test_what_cannot_be_asked_has_a_code_and_a_sentence(graph: Connection, query: str, code: str) -> None:
    me = await settled(graph)
    assert await me.refused(query) == code


async def test_a_namespace_that_a_source_declared_has_its_own_rules(graph: Connection) -> None:
    await graph.writer.command(
        "CREATE (:Namespace {name: 'crm.mail', role: 'ContactPoint', priority: 2, unique: false, "
        "max_partners: 50, generic_above: 1, normaliser: 'email', declared_by: 'crm'})"
    )
    me = await settled(graph)
    query = '{ profile(by: { identifier: { namespace: "crm.mail", value: "%s" } }) { id } }'
    assert await me.refused(query % "no address") == "identifier_invalid"
    assert await me.ask(query % "a@b.no") == {"profile": None}


@pytest.mark.parametrize(
    ("noun", "name", "kind"),
    [
        (Noun.PROFILE, "anna-1", "Profile"),
        (Noun.IDENTIFIER, "anna-1", "Device"),
        (Noun.INTERACTION, "web:1", "PageView"),
        (Noun.ACCOUNT, "account:fern", "Account"),
        (Noun.PROFILE, "gone", None),
        (Noun.IDENTIFIER, "gone", None),
        (Noun.SEGMENT, "gone", None),
    ],
)
async def test_everything_with_an_id_is_found_by_it(graph: Connection, noun: Noun, name: str, kind: str | None) -> None:
    me = await settled(graph)
    found = await me.ask("query ($id: ID!) { node(id: $id) { __typename } }", id=global_id(noun, name))
    assert found == {"node": kind and {"__typename": kind}}
