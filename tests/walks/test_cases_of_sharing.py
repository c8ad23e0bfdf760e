"""Cases T23, T26, T28 to T30, T37 and T67 to T73 of the catalogue of stitching, each by its number, through HTTP.

Messages go in by /v1/batch; rows of a CRM by `selfsame load`; who belongs to what is asked over GraphQL;
after every case `verify` finds nothing.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from graph.connection import Connection
from graph.keys import Scope
from graph.namespaces import declare
from graph.rebuild import verify
from identity.messages import Json
from identity.policy import Shared
from selfsame.clock import now
from selfsame.keys import create_key
from tests.building import default_policy
from tests.house.reading import ROOT
from tests.identity.policies import CRM
from tests.serving import Neo4jAddress
from tests.walks.processes import environment, loaded
from tests.walks.sending import Sent, group, identify, message, moment, track
from tests.walks.service import Company, codes, differences, in_process, sets

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

FAMILY = "fam@example.com"


@pytest.fixture
async def company(graph: Connection) -> AsyncIterator[Company]:
    """A company whose people are, at the end of each case, what follows from the evidence."""
    async with in_process(graph) as running:
        yield running
        assert await differences(graph) == ()


ROWS = """
source = "crm"
[[message]]
when = "user"
kind = "group"
time = "at"
identifiers = [{ namespace = "user_id", value = "user" }]
[message.account]
value = "account"
role = "role"
parent = "parent"
traits = { name = "name", domain = "domain" }
[[message.about]]
subject = "Deal"
id = "deal"
account = { template = "account:{account}" }
[[message]]
when = "!user"
kind = "group"
time = "at"
[message.account]
value = "account"
member = false
parent = "parent"
traits = { name = "name", domain = "domain" }
"""
COLUMNS = ("account", "user", "role", "parent", "deal", "name", "domain", "at")
WARNING = re.compile(r"^  warning (\w+)", re.MULTILINE)


class Crm:
    """Rows of a CRM, loaded by `selfsame load` with a mapping."""

    def __init__(self, graph: Connection, settings: Mapping[str, str]) -> None:
        self.graph = graph
        self.settings = settings

    async def rows(self, *rows: str) -> list[str]:
        """Load them as one file; the codes of the warnings."""
        return WARNING.findall(loaded(self.settings, ROWS, ",".join(COLUMNS), *rows))


@pytest.fixture
def crm(graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path) -> Crm:
    return Crm(graph, environment(tmp_path, neo4j_server))


def row(account: str, *, at: float = 0, **cells: str) -> str:
    """A row about an account: of a person in it, of what it is part of, of a deal with it."""
    given = {**cells, "account": account, "at": moment(at)}
    return ",".join(given.get(column, "") for column in COLUMNS)


SHARING = """
query ($namespace: String!, $value: String!, $first: Int = 20) {
  profile(by: { identifier: { namespace: $namespace, value: $value } }) {
    identifiers { edges { node { value generic } } }
    interactions { edges { node { name } } }
    sharedBy(first: $first) { totalCount edges { node { id } } }
    sharedIdentifiers { edges { node {
      first last identifier { value sharedBy sharedWith(first: $first) { totalCount edges { node { id } } } }
    } } }
    household { leftOut { value } edges { node { shared { value } profile { contacts { value } } } } }
  }
}
"""


async def sharing(company: Company, namespace: str, value: str, **more: Json) -> dict[str, Json]:
    return (await company.ask(SHARING, namespace=namespace, value=value, **more))["profile"]


async def names(company: Company, namespace: str, value: str) -> list[str]:
    """What somebody did, the oldest first."""
    return [
        edge["node"]["name"]
        for edge in reversed((await sharing(company, namespace, value))["interactions"]["edges"])
        if edge["node"]["name"]
    ]


async def test_t23_a_kiosk_says_how_many_use_it_and_shows_a_page_of_them(company: Company) -> None:
    await company.batch([identify(f"u{number}", device="d1", at=number) for number in range(50)])
    kiosk = await sharing(company, "device_id", "d1", first=3)
    assert (kiosk["sharedBy"]["totalCount"], len(kiosk["sharedBy"]["edges"])) == (50, 3)
    one = await sharing(company, "user_id", "u7", first=2)
    (used,) = (edge["node"] for edge in one["sharedIdentifiers"]["edges"])
    assert (used["identifier"]["sharedBy"], used["identifier"]["sharedWith"]["totalCount"]) == (50, 50)
    assert used["identifier"]["sharedWith"]["edges"] == kiosk["sharedBy"]["edges"][:2]
    assert used["first"] == used["last"] == "2026-01-01T00:07:00Z"
    assert one["household"]["edges"] == []


async def test_t26_a_household_are_those_who_share_an_address(company: Company) -> None:
    await company.send(*(identify(user, email=FAMILY) for user in ("u1", "u2")), identify("u3", "a1"))
    found = (await sharing(company, "user_id", "u1"))["household"]
    assert found == {
        "leftOut": [],
        "edges": [{"node": {"shared": [{"value": FAMILY}], "profile": {"contacts": [{"value": "u2"}]}}}],
    }


async def test_t28_what_is_generic_turns_back_when_the_evidence_is_taken_away(company: Company) -> None:
    await company.send(identify("u1", email=FAMILY), identify("u2", email=FAMILY))
    await company.change(ERASE, value="u2", scope="IDENTIFIER")
    assert await company.people() == sets(f"u1 {FAMILY}")
    found = await sharing(company, "email", FAMILY)
    assert (found["sharedBy"]["totalCount"], found["household"]["edges"]) == (0, [])


YEAR = 365 * 24 * 60
PHONE = "+4917112345678"
BOUGHT = (
    ("call before", 1),
    ("call of the first", 10 + YEAR / 8),
    ("call of the second", 20 + YEAR / 4),
    ("call of the last", YEAR / 2),
)


async def moved(company: Company) -> None:
    """A phone is u1's, then u2's; calls come from it alone."""
    said = [message("track", name=name, at=at, phone=PHONE) for name, at in BOUGHT]
    said += [identify("u1", phone=PHONE, at=10), identify("u1", phone=PHONE, at=11)]
    said += [identify("u2", phone=PHONE, at=20 + YEAR / 5), identify("u1", "a1", at=YEAR / 3)]
    await company.send(*reversed(said))


async def test_t30_a_phone_that_moves_is_nobodys_and_the_latest_is_seen_last(company: Company) -> None:
    await moved(company)
    assert await names(company, "phone", PHONE) == [name for name, _ in BOUGHT]
    pages = [(await sharing(company, "user_id", each))["sharedIdentifiers"]["edges"] for each in ("u1", "u2")]
    uses = [page[0]["node"] for page in pages]
    assert [each["identifier"]["value"] for each in uses] == [PHONE, PHONE]
    assert uses[0]["first"] < uses[0]["last"] < uses[1]["first"] == uses[1]["last"]


@pytest.fixture
async def by_time(graph: Connection) -> AsyncIterator[Company]:
    """A company whose policy tells shared phones by time."""
    rules = default_policy()
    phone = replace(rules.namespaces["phone"], shared=Shared.BY_TIME)
    policy = replace(rules, namespaces={**rules.namespaces, "phone": phone})
    async with in_process(graph, policy=policy) as running:
        yield running
        assert await verify(graph.reader, policy) == ()


ERASE = """
mutation ($value: String!, $scope: ErasureScope! = PROFILE) {
  erase(by: { identifier: { namespace: "user_id", value: $value } }, scope: $scope) { __typename }
}
"""


async def test_t30_who_is_erased_takes_the_calls_of_her_time_along(by_time: Company) -> None:
    await moved(by_time)
    await by_time.send(identify("u3", phone=PHONE, at=30 + YEAR / 4))
    await by_time.change(ERASE, value="u2")
    assert await names(by_time, "phone", PHONE) == ["call before"]
    assert await names(by_time, "user_id", "u3") == ["call of the last"]


async def test_t30_told_by_time_a_call_is_of_who_had_the_phone_then(by_time: Company) -> None:
    await moved(by_time)
    of = {value: await names(by_time, *value.split("=")) for value in (f"phone={PHONE}", "user_id=u1", "user_id=u2")}
    assert of == {
        f"phone={PHONE}": ["call before"],
        "user_id=u1": ["call of the first"],
        "user_id=u2": ["call of the second", "call of the last"],
    }


OF_PERSON = """
query ($namespace: String!, $value: String!) {
  profile(by: { identifier: { namespace: $namespace, value: $value } }) {
    suggestions { leftOut { value } edges { node { ...Told } } }
  }
}
"""
ALL = """
query ($first: Int!, $after: String, $least: Float!) {
  suggestions(first: $first, after: $after, minScore: $least) {
    leftOut { value } pageInfo { hasNextPage endCursor } edges { node { ...Told } }
  }
}
"""
TOLD = """
fragment Told on Suggestion {
  reason score sentence id identifiers { value } account { value } needsOverride values { a { value } b { value } }
}
"""
SETTLE = """
mutation ($id: ID!) {
  %s(suggestion: $id) {
    __typename
    ... on Problem { code sentence }
    ... on SuggestionDecision { outcome sentence decision profile { id } }
  }
}
"""
OVERRIDE = """
mutation ($id: ID!) {
  acceptSuggestion(suggestion: $id, override: true) {
    ... on Problem { code sentence }
    ... on SuggestionDecision { outcome decision }
  }
}
"""
UNDO = "mutation ($id: ID!) { undoDecision(decision: $id) { __typename } }"


def told(node: dict[str, Json]) -> str:
    """`0.5 e9@x.com u1`: a suggestion in one line; with `u2>u1` where u1 would replace u2."""
    ends = [*(each["value"] for each in node["identifiers"]), *([node["account"]["value"]] if node["account"] else [])]
    replaced = [f"{each['a']['value']}>{each['b']['value']}" for each in node["values"]]
    assert node["needsOverride"] is bool(replaced)
    return " ".join([str(node["score"]), *ends, *replaced])


async def suggested(company: Company, namespace: str, value: str) -> dict[str, str]:
    """What is suggested about somebody, with the ids."""
    found = (await company.ask(OF_PERSON + TOLD, namespace=namespace, value=value))["profile"]["suggestions"]["edges"]
    return {told(edge["node"]): edge["node"]["id"] for edge in found}


async def all_suggested(company: Company, first: int = 1, least: float = 0.0) -> list[str]:
    """All suggestions there are, page by page."""
    found, after = [], None
    while True:
        page = (await company.ask(ALL + TOLD, first=first, after=after, least=least))["suggestions"]
        found += [told(edge["node"]) for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


async def settled(company: Company, verb: str, suggestion: str) -> dict[str, Json]:
    return (await company.change(SETTLE % verb, id=suggestion))[verb]


def record(value: str, name: str, **more: Json) -> Sent:
    """A record of a CRM, whose ids are unique, with the family's address."""
    said = {"externalIds": [{"id": value, "type": "crm"}], "traits": {"name": name, "email": FAMILY}}
    return message("identify", context=said, **more)


async def test_t29_two_records_of_one_address_are_no_merge_and_a_suggestion_that_needs_an_override(
    company: Company, graph: Connection
) -> None:
    await declare(graph.writer, [CRM], "crm")
    await company.send(record("c1", "Ann"))
    await company.send(record("c2", "Bob"))
    assert (await company.people(), await company.shared()) == (sets("c1", "c2"), sets(FAMILY))
    assert await all_suggested(company) == list(await suggested(company, "crm", "c2")) == ["0.3 c1 c2 c2>c1"]
    await company.send(record("c2", "ann", at=1))
    same_name = "0.7 c1 c2 c2>c1"
    assert await all_suggested(company) == list(await suggested(company, "crm", "c1")) == [same_name]
    suggestion = (await suggested(company, "crm", "c1"))[same_name]
    refused = await settled(company, "acceptSuggestion", suggestion)
    assert (refused["__typename"], refused["code"]) == ("UniqueConflict", "unique")
    assert refused["sentence"] == "Accepting it needs an override: crm:c1 would replace crm:c2."
    assert await company.people() == sets("c1", "c2")
    accepted = (await company.change(OVERRIDE, id=suggestion))["acceptSuggestion"]
    assert (accepted["outcome"], await all_suggested(company)) == ("ACCEPTED", [])
    assert await company.people() == sets(f"c1 c2 {FAMILY}")
    await company.change(UNDO, id=accepted["decision"])
    assert (await company.people(), await all_suggested(company)) == (sets("c1", "c2"), [same_name])


async def test_t29_who_may_not_override_is_refused_and_a_dismissed_pair_stays_away(
    company: Company, graph: Connection
) -> None:
    await company.send(*(identify(user, email=FAMILY, at=number) for number, user in enumerate(("u1", "u2", "u3"))))
    lines = ["0.3 u1 u2 u2>u1", "0.3 u1 u3 u3>u1", "0.3 u2 u3 u3>u2"]
    assert await all_suggested(company) == lines
    assert await all_suggested(company, least=0.5) == []
    found = await suggested(company, "user_id", "u2")
    steward = replace(company, admin_key=await create_key(graph.writer, Scope.STEWARD, now()))
    asked = {"query": OVERRIDE, "variables": {"id": found[lines[0]]}}
    signed = {"authorization": f"Bearer {steward.admin_key}"}
    refused = (await company.http.post("/graphql", json=asked, headers=signed)).json()["data"]["acceptSuggestion"]
    assert refused["code"] == "key_scope"
    assert (await settled(steward, "dismissSuggestion", found[lines[0]]))["outcome"] == "DISMISSED"
    assert await all_suggested(company) == lines[1:]


async def test_t37_folded_addresses_are_two_people_and_a_suggestion_that_holds_or_not(company: Company) -> None:
    tagged, plain = "a.nn+news@gmail.com", "ann@gmail.com"
    await company.send(identify("u1", email=tagged), track("a2", email=plain))
    assert await company.people() == sets(f"u1 {tagged}", f"a2 {plain}")
    line = f"0.9 {plain} {tagged}"
    assert list(await suggested(company, "user_id", "u1")) == await all_suggested(company) == [line]
    dismissed = await settled(company, "dismissSuggestion", (await suggested(company, "user_id", "u1"))[line])
    assert (dismissed["outcome"], await all_suggested(company)) == ("DISMISSED", [])
    await company.change(UNDO, id=dismissed["decision"])
    (suggestion,) = (await suggested(company, "email", plain)).values()
    assert (await settled(company, "acceptSuggestion", suggestion))["outcome"] == "ACCEPTED"
    assert await company.people() == sets(f"u1 {tagged} a2 {plain}")
    assert (await settled(company, "acceptSuggestion", suggestion))["code"] == "gone"
    assert await all_suggested(company) == []


async def test_t72_a_company_domain_is_a_suggestion_and_overrides_nothing(company: Company, crm: Crm) -> None:
    await crm.rows(row("acme", name="Acme", domain="https://www.acme.com"), row("g", name="G", domain="gmail.com"))
    await company.send(identify("u1", email="ann@acme.com"), identify("u2", email="bob@acme.com"))
    await company.send(identify("u3", email="cy@gmail.com"), group("u2", "acme"))
    assert await all_suggested(company) == ["0.2 ann@acme.com acme"]
    assert await all_suggested(company, least=0.3) == []
    assert list(await roles(company, "acme")) == ["u2"]
    (suggestion,) = (await suggested(company, "user_id", "u1")).values()
    assert (await settled(company, "acceptSuggestion", suggestion))["outcome"] == "ACCEPTED"
    assert sorted(await roles(company, "acme")) == ["u1", "u2"]
    assert await all_suggested(company) == []
    for answer in ("SuggestionDecision", "NothingToDo"):
        assert (await settled(company, "reopenSuggestion", suggestion))["__typename"] == answer
    assert (list(await roles(company, "acme")), await all_suggested(company)) == (["u2"], ["0.2 ann@acme.com acme"])


async def test_t73_who_was_met_only_on_a_shared_device_is_nobody_and_two_suggestions(company: Company) -> None:
    await company.send(
        track("a1", email="e9@example.com", at=1), identify("u1", "a1", at=2), identify("u2", "a1", at=3)
    )
    assert (await company.people(), await company.shared()) == (sets("u1", "u2", "e9@example.com"), sets("a1"))
    lines = ["0.5 e9@example.com u1", "0.5 e9@example.com u2"]
    assert await all_suggested(company) == lines
    assert list(await suggested(company, "email", "e9@example.com")) == lines
    assert list(await suggested(company, "user_id", "u2")) == lines[1:]
    first = (await suggested(company, "user_id", "u1"))[lines[0]]
    assert (await settled(company, "dismissSuggestion", first))["outcome"] == "DISMISSED"
    assert await all_suggested(company) == lines[1:]


async def test_people_of_one_name_who_share_a_phone_may_be_one(company: Company) -> None:
    def said(name: str) -> dict[str, Json]:
        return {"name": name, "phone": PHONE}

    await company.send(*(identify(user, traits=said(name)) for user, name in (("u1", "Ann Lee"), ("u2", "Bob"))))
    await company.send(identify(None, "a9", traits=said("ann  lee")))
    assert await all_suggested(company) == ["0.7 a9 u1", "0.3 a9 u2", "0.3 u1 u2 u2>u1"]


async def test_what_a_crowd_shares_suggests_nothing_and_is_named(company: Company) -> None:
    people = [identify(f"u{number}", device="d1", at=number) for number in range(21)]
    await company.batch([*people, message("track", email="e9@example.com", device="d1", name="x")])
    assert await suggested(company, "email", "e9@example.com") == {}
    found = await company.ask(OF_PERSON + TOLD, namespace="email", value="e9@example.com")
    assert found["profile"]["suggestions"]["leftOut"] == [{"value": "d1"}]
    every = await company.ask(ALL + TOLD, first=5, after=None, least=0.0)
    assert every["suggestions"]["leftOut"] == [{"value": "d1"}]


ACCOUNT = """
query ($key: String!, $depth: Int = 1) {
  account(by: { key: { namespace: "account", value: $key } }) {
    value name mergedFrom { value } parent { value } children { edges { node { value } } }
    members(depth: $depth) { edges { node {
      role history { role source account { value } } profile { contacts { value } colleagues { edges { node { id } } } }
    } } }
    deals { edges { node { key facts } } }
  }
}
"""

MERGE = """
mutation ($one: String!, $other: String!, $dry: Boolean! = false) {
  %s(account: { key: { namespace: "account", value: $one } }, into: { key: { namespace: "account", value: $other } },
     dryRun: $dry) {
    ... on Problem { code sentence }
    ... on AccountsDecided { organisations { name { value } accounts { value } members deals } }
  }
}
"""


async def account(company: Company, key: str, depth: int = 1) -> dict[str, Json]:
    return (await company.ask(ACCOUNT, key=key, depth=depth))["account"]


async def roles(company: Company, key: str, depth: int = 1) -> dict[str, str]:
    """The role of each member, by the values of her contacts."""
    found = await account(company, key, depth)
    nodes = [edge["node"] for edge in found["members"]["edges"]]
    return {" ".join(sorted(each["value"] for each in node["profile"]["contacts"])): node["role"] for node in nodes}


async def decided(company: Company, verb: str, one: str, other: str, *, dry: bool = False) -> tuple[str, list[str]]:
    """What became of a decision, and the organisations that are then: their keys, people and deals."""
    answer = (await company.change(MERGE % verb, one=one, other=other, dry=dry))[verb]
    return answer.get("code", "done"), [
        " ".join([*(key["value"] for key in each["accounts"]), str(each["members"]), str(each["deals"])])
        for each in answer.get("organisations", ())
    ]


async def test_t67_somebody_in_two_accounts_has_a_role_in_each(company: Company, crm: Crm) -> None:
    await company.send(group("u1", "acme"), group("u1", "globex"))
    await crm.rows(row("globex", user="u1", role="viewer", at=9), row("acme", user="u1", role="admin", at=9))
    assert [await roles(company, each) for each in ("acme", "globex")] == [{"u1": "admin"}, {"u1": "member"}]


async def test_t68_members_within_a_hierarchy_and_no_cycles(company: Company, crm: Crm) -> None:
    said = [row("acme-de", parent="acme"), row("acme", parent="world", at=1), row("world", parent="acme-de", at=2)]
    assert await crm.rows(*said) == ["cycle"]
    await company.send(group("u1", "acme-de"), group("u2", "acme"))
    assert [list(await roles(company, "acme", depth)) for depth in (1, 2)] == [["u2"], ["u1", "u2"]]
    assert list(await roles(company, "world", 3)) == ["u1", "u2"]
    assert (await account(company, "world"))["parent"] is None


async def test_t69_merged_accounts_are_one_and_a_counter_act_takes_it_back(company: Company, crm: Crm) -> None:
    await crm.rows(
        row("acme", user="u1", role="admin", deal="d1", name="Acme", at=1),
        row("acme-inc", user="u1", role="viewer", at=2),
        row("acme-inc", user="u2", deal="d2", name="Acme Inc", at=3),
        row("acme-inc", parent="acme", at=4),
        row("branch", parent="acme-inc", at=5),
    )
    before = [await account(company, each, 2) for each in ("acme", "acme-inc", "branch")]
    tried = await decided(company, "mergeAccounts", "acme-inc", "acme", dry=True)
    assert [await account(company, each, 2) for each in ("acme", "acme-inc", "branch")] == before
    assert await decided(company, "mergeAccounts", "acme-inc", "acme") == tried == ("done", ["acme acme-inc 2 2"])
    one = await account(company, "acme-inc")
    assert one == await account(company, "acme")
    assert (one["value"], one["name"], one["mergedFrom"]) == ("acme", "Acme Inc", [{"value": "acme-inc"}])
    assert await roles(company, "acme") == {"u1": "admin", "u2": "member"}
    first = one["members"]["edges"][0]["node"]
    assert [(each["role"], each["account"]["value"]) for each in first["history"]] == [
        ("admin", "acme"),
        ("viewer", "acme-inc"),
    ]
    assert len(first["profile"]["colleagues"]["edges"]) == 1
    assert [edge["node"]["key"] for edge in one["deals"]["edges"]] == ["crm:d1", "crm:d2"]
    assert (one["parent"], one["children"]) == (None, {"edges": [{"node": {"value": "branch"}}]})
    assert await differences(crm.graph) == ()
    assert await decided(company, "mergeAccounts", "acme-inc", "acme") == ("already", [])
    assert await decided(company, "unmergeAccounts", "acme-inc", "acme") == ("done", ["acme 1 1", "acme-inc 2 1"])
    assert [await account(company, each, 2) for each in ("acme", "acme-inc", "branch")] == before


async def test_t69_what_cannot_be_decided_says_why(company: Company, crm: Crm) -> None:
    await crm.rows(row("a", name="A"), row("b", name="B"), row("c", name="C"))
    assert await decided(company, "unmergeAccounts", "a", "b") == ("not_merged", [])
    assert await decided(company, "mergeAccounts", "a", "nowhere") == ("unknown_account", [])
    await decided(company, "mergeAccounts", "a", "b")
    await decided(company, "unmergeAccounts", "a", "b")
    assert await decided(company, "mergeAccounts", "b", "c") == ("done", ["c b 0 0"])
    assert await decided(company, "mergeAccounts", "a", "c") == ("different", [])


ONE_PERSON = """
mutation ($one: String!, $other: String!) {
  mergeProfiles(from: { identifier: { namespace: "user_id", value: $one } },
    into: { identifier: { namespace: "user_id", value: $other } }, override: true) { __typename }
}
"""


async def test_t70_two_people_who_become_one_have_one_membership(company: Company, crm: Crm) -> None:
    await crm.rows(row("acme", user="u1", role="admin", at=1), row("acme", user="u2", role="viewer", at=9))
    assert (await company.change(ONE_PERSON, one="u2", other="u1"))["mergeProfiles"]["__typename"] == "Decided"
    (member,) = (await account(company, "acme"))["members"]["edges"]
    assert [each["role"] for each in member["node"]["history"]] == ["admin", "viewer"]
    assert member["node"]["role"] == "admin"


async def test_t71_an_empty_group_is_ignored_with_a_warning(company: Company) -> None:
    (answer,) = await company.send(group("u1", ""))
    assert codes(answer) == ["no_group_id"]
    assert (await company.ask('{ account(by: { key: { namespace: "account", value: "" } }) { name } }'))[
        "account"
    ] is None


DOCUMENT = ROOT / "docs" / "suggestions.md"
DECIDED = {"acceptSuggestion", "dismissSuggestion", "mergeAccounts"}
BLOCK = re.compile(r"```graphql\n(.*?)```", re.DOTALL)


def told_of(answer: dict[str, Json]) -> Json:
    return answer.get("outcome") or answer.get("code", "done")


async def test_every_question_of_the_docs_is_answered(company: Company, crm: Crm) -> None:
    await crm.rows(row("acme", name="Acme"), row("acme-inc", user="u1", name="Acme Inc"))
    await company.send(identify("u1", email="ann+x@example.com"), track("a1", email="ann@example.com"))
    (suggestion,) = (await suggested(company, "user_id", "u1")).values()
    answers, outcomes = {}, []
    for block in BLOCK.findall(DOCUMENT.read_text("utf-8")):
        ask = company.change if block.startswith("mutation") else company.ask
        found = await ask(block, **({"suggestion": suggestion} if "$suggestion" in block else {}))
        outcomes += [told_of(found[each]) for each in found.keys() & DECIDED]
        answers |= found
    assert [edge["node"]["id"] for edge in answers["suggestions"]["edges"]] == [suggestion]
    assert outcomes == ["ACCEPTED", "gone", "gone", "done"]
    assert answers["account"]["value"] == "acme-inc"
