"""Cases T23, T26, T28, T30 and T67 to T71 of the catalogue of stitching, each by its number, through HTTP and GraphQL.

Messages go in by /v1/batch; who belongs to what is asked over GraphQL; after every case `verify` finds nothing.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from graph.connection import Connection
from graph.decisions import decide
from graph.ingestion import commit_batch
from graph.rebuild import verify
from identity.evidence import Act, ActKind
from identity.messages import About, AccountStatement, Json, Message, MessageKind, Subject, micros
from identity.policy import Shared
from tests.building import RECEIVED, act, default_policy, minting
from tests.building import message as written
from tests.walks.sending import group, identify, message
from tests.walks.service import Company, codes, differences, in_process, sets

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

FAMILY = "fam@example.com"


@pytest.fixture
async def company(graph: Connection) -> AsyncIterator[Company]:
    """A company whose people are, at the end of each case, what follows from the evidence."""
    async with in_process(graph) as running:
        yield running
        assert await differences(graph) == ()


class Crm:
    """Rows of a CRM: what files and tables become."""

    def __init__(self, graph: Connection) -> None:
        self.graph = graph
        self.mints = (f"crm{mint}" for mint in minting())

    async def rows(self, *messages: Message) -> list[list[str]]:
        """Commit each row by itself; the codes of the warnings."""
        found = []
        for each in messages:
            (outcome,) = await commit_batch(
                self.graph.writer, [each], default_policy(), lambda: next(self.mints), RECEIVED
            )
            found.append([warning.code for warning in outcome.warnings])
        return found

    async def decide(self, *acts: Act) -> None:
        """Decide by hand."""
        await decide(self.graph.writer, acts, default_policy(), micros(RECEIVED))


@pytest.fixture
def crm(graph: Connection) -> Crm:
    return Crm(graph)


def row(
    account: str,
    *,
    user: str | None = None,
    role: str | None = None,
    parent: str | None = None,
    deal: str | None = None,
    at: float = 0,
    **traits: Json,
) -> Message:
    """A row about an account: of a person in it, of what it is part of, of a deal with it."""
    above = f"account:{parent}" if parent else None
    said = AccountStatement(f"account:{account}", traits, member=user is not None, role=role, parent=above)
    about = (About(Subject.DEAL, f"crm:{deal}", {"amount": 9}, said.key),) if deal else ()
    name = f"{account} {user} {role} {parent} {deal} {at}"
    people = [("user_id", user)] if user else []
    return replace(written(MessageKind.GROUP, people, at=at, id=name, source="crm", account=said), about=about)


SHARING = """
query ($namespace: String!, $value: String!, $first: Int = 20) {
  profile(by: { identifier: { namespace: $namespace, value: $value } }) {
    identifiers { edges { node { value generic } } }
    interactions { edges { node { name } } }
    sharedBy(first: $first) { totalCount edges { node { id } } }
    sharedIdentifiers { identifier { value sharedBy sharedWith(first: $first) { totalCount edges { node { id } } } }
      first last }
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
    (used,) = one["sharedIdentifiers"]
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


async def test_t28_what_is_generic_turns_back_when_the_evidence_is_taken_away(company: Company, crm: Crm) -> None:
    await company.send(identify("u1", email=FAMILY), identify("u2", email=FAMILY))
    await crm.decide(act(ActKind.DIFFERENT, "user_id:u2", f"email:{FAMILY}", at=9))
    assert await company.people() == sets(f"u1 {FAMILY}", "u2")
    assert (await sharing(company, "user_id", "u2"))["sharedIdentifiers"] == []
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
    uses = [(await sharing(company, "user_id", each))["sharedIdentifiers"][0] for each in ("u1", "u2")]
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


async def test_t30_told_by_time_a_call_is_of_who_had_the_phone_then(by_time: Company) -> None:
    await moved(by_time)
    of = {value: await names(by_time, *value.split("=")) for value in (f"phone={PHONE}", "user_id=u1", "user_id=u2")}
    assert of == {
        f"phone={PHONE}": ["call before"],
        "user_id=u1": ["call of the first"],
        "user_id=u2": ["call of the second", "call of the last"],
    }


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
    outcome sentence organisations { name { value } accounts { value } members deals }
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
    return answer["outcome"], [
        " ".join([*(key["value"] for key in each["accounts"]), str(each["members"]), str(each["deals"])])
        for each in answer["organisations"]
    ]


async def test_t67_somebody_in_two_accounts_has_a_role_in_each(company: Company, crm: Crm) -> None:
    await company.send(group("u1", "acme"), group("u1", "globex"))
    await crm.rows(row("globex", user="u1", role="viewer", at=9), row("acme", user="u1", role="admin", at=9))
    assert [await roles(company, each) for each in ("acme", "globex")] == [{"u1": "admin"}, {"u1": "member"}]


async def test_t68_members_within_a_hierarchy_and_no_cycles(company: Company, crm: Crm) -> None:
    said = [row("acme-de", parent="acme"), row("acme", parent="world", at=1), row("world", parent="acme-de", at=2)]
    assert await crm.rows(*said) == [[], [], ["cycle"]]
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
    assert await decided(company, "mergeAccounts", "acme-inc", "acme") == tried == ("DONE", ["acme acme-inc 2 2"])
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
    assert await decided(company, "mergeAccounts", "acme-inc", "acme") == ("ALREADY", ["acme acme-inc 2 2"])
    assert await decided(company, "unmergeAccounts", "acme-inc", "acme") == ("DONE", ["acme 1 1", "acme-inc 2 1"])
    assert [await account(company, each, 2) for each in ("acme", "acme-inc", "branch")] == before


async def test_t69_what_cannot_be_decided_says_why(company: Company, crm: Crm) -> None:
    await crm.rows(row("a", name="A"), row("b", name="B"), row("c", name="C"))
    assert await decided(company, "unmergeAccounts", "a", "b") == ("NOT_MERGED", ["a 0 0", "b 0 0"])
    assert await decided(company, "mergeAccounts", "a", "nowhere") == ("UNKNOWN", [])
    await decided(company, "mergeAccounts", "a", "b")
    await decided(company, "unmergeAccounts", "a", "b")
    assert await decided(company, "mergeAccounts", "b", "c") == ("DONE", ["c b 0 0"])
    assert await decided(company, "mergeAccounts", "a", "c") == ("DIFFERENT", ["a 0 0", "c b 0 0"])


async def test_t70_two_people_who_become_one_have_one_membership(company: Company, crm: Crm) -> None:
    await crm.rows(row("acme", user="u1", role="admin", at=1), row("acme", user="u2", role="viewer", at=9))
    await crm.decide(act(ActKind.OVERRIDE, "user_id:u2", "user_id:u1", at=10))
    (member,) = (await account(company, "acme"))["members"]["edges"]
    assert [each["role"] for each in member["node"]["history"]] == ["admin", "viewer"]
    assert member["node"]["role"] == "admin"


async def test_t71_an_empty_group_is_ignored_with_a_warning(company: Company) -> None:
    (answer,) = await company.send(group("u1", ""))
    assert codes(answer) == ["no_group_id"]
    assert (await company.ask('{ account(by: { key: { namespace: "account", value: "" } }) { name } }'))[
        "account"
    ] is None
