"""Cases T59 to T62: erased people stay erased, through HTTP and GraphQL; after every case `verify` finds nothing."""

from collections.abc import AsyncIterator

import pytest

from graph.connection import Connection
from graph.keys import Scope
from identity.messages import Json
from selfsame.clock import now
from selfsame.keys import create_key
from tests.graph.erasing import readable
from tests.graph.whole import everything, settled
from tests.walks.sending import Sent, identify, track
from tests.walks.service import Company, differences, in_process, sets

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

ERASE = """
mutation ($by: ProfileLookup!, $mode: ErasureMode! = DELETE, $dryRun: Boolean! = false) {
  erase(by: $by, mode: $mode, dryRun: $dryRun) {
    ... on Erased {
      identifiers { namespace value } ids profiles interactions observations scrubbed
      after { id identifiers { value } }
    }
  }
}
"""

NODE = "query ($id: ID!) { node(id: $id) { id } }"
KNOWN = "query ($by: ProfileLookup!) { profile(by: $by) { id } }"
MINE = "ann.lee@example.com"
SEGMENT = 'query { segmentPreview(definition: {trait: {name: "email", how: EXISTS, value: true}}) { count } }'


class Office:
    """A company and somebody who may erase."""

    def __init__(self, company: Company, key: str) -> None:
        self.company, self.key = company, key

    async def answer(self, query: str, **variables: Json) -> dict[str, Json]:
        sent = {"query": query, "variables": variables}
        headers = {"authorization": f"Bearer {self.key}"}
        return (await self.company.http.post("/graphql", json=sent, headers=headers)).json()

    async def erase(self, namespace: str, value: str, **more: Json) -> dict[str, Json]:
        by = {"identifier": {"namespace": namespace, "value": value}}
        answer = await self.answer(ERASE, by=by, **more)
        assert "errors" not in answer, answer
        return answer["data"]["erase"]

    async def codes(self, query: str, **variables: Json) -> list[str]:
        asked = {"query": query, "variables": variables}
        headers = {"authorization": f"Bearer {self.company.read_key}"}
        answer = (await self.company.http.post("/graphql", json=asked, headers=headers)).json()
        return [each["extensions"]["code"] for each in answer.get("errors", [])]


@pytest.fixture
async def office(graph: Connection) -> AsyncIterator[Office]:
    """An office whose people are, at the end of each case, what follows from the evidence."""
    async with in_process(graph) as company:
        yield Office(company, await create_key(graph.writer, Scope.ADMIN, now(), None, "officer"))
        assert await differences(graph) == ()


def fresh(sent: Sent) -> Sent:
    """The same without a time of its own: it happens when it is received."""
    return {name: value for name, value in sent.items() if name != "timestamp"}


async def test_t59_who_comes_again_after_her_erasure_is_new(office: Office, graph: Connection) -> None:
    company = office.company
    await company.send(identify("u1", email=MINE, traits={"email": MINE}), track(user="u1", at=1))
    before = (await company.person("u1")).id
    gone = await office.erase("user_id", "u1")
    assert (gone["interactions"], gone["profiles"]) == (2, [before])
    assert await company.profiles() == []
    assert await readable(graph, MINE) == []
    assert (await company.ask(SEGMENT))["segmentPreview"]["count"] == 0
    assert await office.codes(KNOWN, by={"id": before}) == ["erased"]
    assert await office.codes(NODE, id=before) == ["erased"]
    await company.send(fresh(identify("u1", email=MINE)))
    after = await company.person("u1")
    assert (after.id != before, after.events) == (True, ("identify",))
    assert await office.codes(KNOWN, by={"id": before}) == ["erased"]


async def test_t60_who_is_suppressed_stays_out_and_is_counted_until_unsuppressed(office: Office) -> None:
    company = office.company
    await company.send(identify("u1", email=MINE))
    await office.erase("user_id", "u1", mode="SUPPRESS_AND_DELETE")
    answers = await company.send(fresh(identify("u1")), fresh(track(email=MINE)), fresh(track("a9", email=MINE)))
    assert [(each["committed"], each["erased"]) for each in answers] == [(0, 1)] * 3
    assert await company.profiles() == []
    asked = {"namespace": "user_id", "value": "u1"}
    query = "mutation ($who: IdentifierLookup!) { unsuppress(identifier: $who) { __typename } }"
    assert (await office.answer(query, who=asked))["data"] == {"unsuppress": {"__typename": "Unsuppressed"}}
    assert (await office.answer(query, who=asked))["data"] == {"unsuppress": {"__typename": "NothingToDo"}}
    await company.send(identify("u1", at=2), fresh(identify("u1")))
    assert [each.events for each in await company.profiles()] == [("identify",)]


async def test_t60_beside_somebody_suppressed_another_person_is_heard(office: Office, graph: Connection) -> None:
    company = office.company
    await office.erase("email", MINE, mode="SUPPRESS_AND_DELETE")
    (answer,) = await company.send(fresh(identify("u2", email=MINE, properties={"note": f"for {MINE}"})))
    assert (answer["committed"], await company.people()) == (1, sets("u2"))
    assert await readable(graph, MINE) == []


async def test_t61_a_dry_run_lists_both_ids_writes_nothing_and_is_what_happens(
    office: Office, graph: Connection
) -> None:
    company = office.company
    await company.send(identify("u1", at=1), track("a1", at=2))
    ids = {each.id for each in await company.profiles()}
    await company.send(identify("u1", "a1", at=3), identify("u2", "tab", at=4), identify("u1", "tab", at=700))
    await settled(graph)
    before = await everything(graph)
    tried = await office.erase("user_id", "u1", dryRun=True)
    assert set(tried["ids"]) == ids
    assert await everything(graph) == before
    assert await office.erase("user_id", "u1") == tried
    assert await company.people() == sets("u2 tab")


async def test_t62_an_archive_that_is_played_again_brings_nobody_back(office: Office) -> None:
    company = office.company
    archive = [identify("u1", "a1", email=MINE, at=1), track("a1", at=2), fresh(track("a1")), identify("u2", at=3)]
    await company.batch(archive)
    await office.erase("email", MINE)
    assert (await company.batch(archive))["erased"] == 3
    older = [track("a1", at=1.5), track(user="u1", at=2.5), track("a7", email=MINE, at=4)]
    assert (await company.batch(older))["erased"] == 3
    assert await company.people() == sets("u2")
