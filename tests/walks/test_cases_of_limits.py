"""Cases T44 to T49 of the catalogue: limits, hairballs and people whom later evidence parts, through HTTP.

After every case `verify` finds nothing. How fast others are beside a hairball of 100,000 is a benchmark.
"""

from collections.abc import AsyncIterator

import pytest

from graph.connection import Connection
from identity.messages import Json
from tests.walks.sending import Sent, identify, track
from tests.walks.service import Company, codes, differences, in_process, sets

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


NOREPLY = "noreply@shop.example.com"


@pytest.fixture
async def company(graph: Connection) -> AsyncIterator[Company]:
    """A company whose people are, at the end of each case, what follows from the evidence."""
    async with in_process(graph) as running:
        yield running
        assert await differences(graph) == ()


IDENTIFIERS = """
query ($namespace: String!, $value: String!, $after: String) {
  profile(by: { identifier: { namespace: $namespace, value: $value } }) {
    id
    identifiers(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      edges { node { value active } }
    }
  }
}
"""


async def identifiers(company: Company, namespace: str = "user_id", value: str = "u1") -> dict[str, bool]:
    """The identifiers of somebody, and whether each is shown as active."""
    found: dict[str, bool] = {}
    after: Json = None
    while True:
        page = (await company.ask(IDENTIFIERS, namespace=namespace, value=value, after=after))["profile"]["identifiers"]
        found |= {edge["node"]["value"]: edge["node"]["active"] for edge in page["edges"]}
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


async def test_t44_the_sixth_address_is_inactive_and_still_resolves(company: Company) -> None:
    answers = await company.send(*(identify("u1", email=f"e{number}@x.com", at=number) for number in range(1, 7)))
    assert [codes(each) for each in answers] == [[]] * 5 + [["limit_exceeded"]]
    found = await identifiers(company)
    assert [value for value, active in found.items() if not active] == ["e6@x.com"]
    assert len(found) == 7
    await company.send(track(email="e6@x.com", name="later", at=9))
    assert (await company.person("u1")).events[-1] == "later"


async def test_t45_of_101_cookies_the_oldest_is_inactive_and_every_event_is_hers(company: Company) -> None:
    await company.batch([identify("u1", f"a{number:03}", at=number * 60) for number in range(101)])
    found = await identifiers(company)
    assert [value for value, active in found.items() if not active] == ["a000"]
    assert len(await company.profiles()) == 1


async def test_t46_two_people_whose_addresses_are_too_many_together_are_one_with_some_inactive(
    company: Company,
) -> None:
    await company.send(*(track("a1", email=f"e{number}@x.com", at=number) for number in range(4)))
    await company.send(*(identify("u1", email=f"f{number}@x.com", at=10 + number) for number in range(4)))
    await company.send(identify("u1", "a1", at=20))
    found = await identifiers(company)
    assert [value for value, active in found.items() if not active] == ["f1@x.com", "f2@x.com", "f3@x.com"]
    assert len(await company.people()) == 1


async def test_t47_an_address_that_everybody_uses_links_nobody(company: Company) -> None:
    """501 cookies are one more than an address may have partners; before that it is one growing person."""
    said: list[Sent] = [track(f"a{number}", email=NOREPLY, at=number) for number in range(501)]
    for start in range(0, 501, 167):
        await company.batch(said[start : start + 167])
    shared = await company.profile(identifier={"namespace": "email", "value": NOREPLY})
    assert shared["sharedBy"]["totalCount"] == 501
    assert await company.shared() == sets(NOREPLY)
    assert all(len(each) == 1 for each in await company.people())


def of_record(record: str, cookie: str, at: float) -> Sent:
    """Something that happened in a browser of who has a record in a CRM; records are contacts, and not unique."""
    external = {"id": record, "type": "crm.record", "collection": "users", "encoding": "none"}
    return track(cookie, at=at, context={"externalIds": [external]})


async def test_t48_two_people_too_large_together_stay_two_with_a_warning(company: Company) -> None:
    for record in ("r1", "r2"):
        await company.batch([of_record(record, f"{record}-{number}", number) for number in range(599)])
    answers = await company.send(track("r1-0", email="bridge@x.com"), track("r2-0", email="bridge@x.com"))
    assert [codes(each) for each in answers] == [[], ["refused_size"]]
    assert [len(await identifiers(company, "crm.record", record)) for record in ("r1", "r2")] == [601, 600]
    refused = await company.refused(("email", "bridge@x.com"), ("crm.record", "r2"))
    assert refused == {("bridge@x.com", "r2-0", "SIZE")}


async def test_t49_people_merged_while_anonymous_part_when_each_gets_a_user_id(company: Company) -> None:
    await company.send(track("a1", device="d1", at=1), track("a2", device="d1", at=2))
    assert await company.people() == sets("a1 a2 d1")
    await company.send(identify("alice", "a1", at=3), identify("bob", "a2", at=4))
    assert {frozenset(who) - {"d1"} for who in await company.people()} == sets("alice a1", "bob a2")
