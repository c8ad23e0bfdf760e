"""Who is told by webhooks, over GraphQL: an admin sees it all but the secrets, which are told once and kept nowhere."""

from dataclasses import replace

import orjson
import pytest

from graph.backlog import work_off
from graph.connection import Connection
from graph.endpoints import EndpointState, Topic, change_endpoint, endpoints
from graph.idempotency import KEPT_MICROS
from graph.keys import Scope
from identity.messages import Json
from tests.graph.world import START
from tests.resolvers.calling import NOW, Caller, caller

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

CREATE = """
mutation ($url: String!, $topics: [WebhookTopic!], $key: String, $dryRun: Boolean! = false) {
  it: createWebhookEndpoint(url: $url, topics: $topics, idempotencyKey: $key, dryRun: $dryRun) {
    ... on WebhookSecretGiven { secret endpoint { id url topics state waiting failingSince recovery { done } } }
    ... on Problem { code sentence }
  }
}
"""
ROTATE = """
mutation ($id: ID!, $key: String) {
  it: rotateWebhookSecret(endpoint: $id, idempotencyKey: $key, days: 0.5) {
    ... on WebhookSecretGiven { secret endpoint { formerSecretUntil } }
  }
}
"""
CHANGE = """
mutation ($id: ID!, $paused: Boolean, $url: String) {
  it: changeWebhookEndpoint(endpoint: $id, paused: $paused, url: $url) {
    ... on WebhookEndpointChanged { endpoint { url topics state reason recovery { done many } } }
    ... on Problem { code sentence }
  }
}
"""
LIST = """
query ($first: Int!, $after: String) {
  webhookEndpoints(first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { node { id waiting deliveries(first: 3) { edges { node { id } } } } }
  }
}
"""
DELIVERIES = """
query ($id: ID!, $after: String) {
  webhookEndpoint(id: $id) {
    deliveries(first: 2, after: $after) {
      pageInfo { hasNextPage endCursor }
      edges { node { id topic at state tries status nextTryAt takenAt body attempts { at status } } }
    }
  }
}
"""
# Taken, waiting, tried, given up; two of one entry, whose ids decide.
OWED = """
UNWIND range(0, 3) AS n
CREATE (owed:WebhookDelivery {id: 'msg_' + n, endpoint: $endpoint, seq: n / 2, type: 'profile.merged', at: $at,
  body: '{"type": "profile.merged", "data": {"sequence": "1"}}', tries: [0, 0, 2, 10][n],
  due_at: [null, $at, $at + 1000000, null][n], done_at: CASE n WHEN 0 THEN $at END, status: [204, null, 503, null][n],
  tried: [[$at], [], [$at, $at], [$at]][n], answered: [[204], [], [0, 503], [0]][n]})
"""


async def made(me: Caller, url: str, **more: Json) -> dict[str, Json]:
    answer = (await me.ask(CREATE, url=url, **more))["it"]
    assert isinstance(answer, dict)
    return answer


async def test_a_secret_is_told_once_and_is_nowhere_but_with_its_endpoint(graph: Connection) -> None:
    me = caller(graph, Scope.ADMIN)
    tried = await made(me, "https://a.example/?token=t0k", dryRun=True)
    assert (tried["secret"], await endpoints(graph.reader)) == (None, ())
    asked: dict[str, Json] = {"topics": ["PROFILE_MERGED", "PROFILE_MERGED"], "key": "one"}
    first, again = [await made(me, "https://a.example/?token=t0k", **asked) for _ in "12"]
    (kept,) = await endpoints(graph.reader)
    assert (first["secret"], again["secret"]) == (kept.secret, None)
    assert kept.secret.startswith("whsec_")
    assert (kept.topics, first["endpoint"]) == ((Topic.PROFILE_MERGED,), again["endpoint"])
    rotated, repeated = [(await me.ask(ROTATE, id=kept.id, key="two"))["it"] for _ in "12"]
    (new,) = await endpoints(graph.reader)
    assert (rotated["secret"], repeated["secret"]) == (new.secret, None)
    lost = (await me.ask(ROTATE, id=kept.id))["it"]["secret"]
    (last,) = await endpoints(graph.reader)
    assert last.signing(NOW) == (lost, kept.secret, new.secret)
    assert last.signing(NOW + KEPT_MICROS // 4) == (lost,)
    rows = await graph.reader.rows("MATCH (n) WHERE NOT n:WebhookEndpoint RETURN properties(n) AS facts")
    assert rows
    assert not any(word in str(row) for row in rows for word in (kept.secret, new.secret, "t0k", "a.example"))


async def test_a_url_that_leads_inside_is_refused_unless_it_is_allowed_and_never_repeated(graph: Connection) -> None:
    me = caller(graph, Scope.ADMIN)
    inside = replace(me, world=replace(me.world, hooks_private=True))
    for url in ("http://169.254.169.254/t0k", "ftp://a.example/t0k", "http://localhost:1/t0k"):
        problem = await made(me, url)
        assert (problem["code"], "t0k" in str(problem["sentence"])) == ("webhook_url", False)
    kept = await made(inside, "http://127.0.0.1:9/told")
    id_ = kept["endpoint"]["id"]
    assert await me.problem(CHANGE, id=id_, url="http://127.0.0.1:8/told") == "webhook_url"
    assert await me.problem(CREATE, url="https://a.example", topics=[]) == "webhook_topics"
    assert len(await endpoints(graph.reader)) == 1


async def test_an_endpoint_is_held_and_goes_on_and_only_what_was_held_is_made_due(graph: Connection) -> None:
    me = caller(graph, Scope.ADMIN)
    id_ = (await made(me, "https://a.example"))["endpoint"]["id"]
    await graph.writer.command(OWED, endpoint=id_, at=START)

    async def change(**asked: Json) -> dict[str, Json]:
        return (await me.ask(CHANGE, id=id_, **asked))["it"]["endpoint"]

    assert (await change(paused=False))["recovery"] is None
    assert (await change(paused=True))["state"] == "PAUSED"
    assert (await change(url="https://b.example"))["state"] == "PAUSED"
    assert (await change(paused=False))["recovery"] == {"done": False, "many": 0}
    assert await work_off(graph.reader, graph.writer, 5) == 1
    await change_endpoint(graph.writer, id_, lambda old: replace(old, state=EndpointState.DISABLED, reason="410 Gone"))
    assert (await change(url="https://b.example"))["reason"] == "410 Gone"
    assert (await change(paused=True))["reason"] is None
    well = await change(paused=False, url="https://c.example")
    assert (well["state"], well["reason"], well["url"]) == ("ACTIVE", None, "https://c.example")
    assert len(well["topics"]) == len(Topic)


async def test_what_became_of_each_delivery_is_shown_page_by_page(graph: Connection) -> None:
    me = caller(graph, Scope.ADMIN)
    ids = [(await made(me, f"https://{name}.example"))["endpoint"]["id"] for name in "abc"]
    await graph.writer.command(OWED, endpoint=ids[1], at=START)
    first = (await me.ask(DELIVERIES, id=ids[1]))["webhookEndpoint"]["deliveries"]
    second = (await me.ask(DELIVERIES, id=ids[1], after=first["pageInfo"]["endCursor"]))["webhookEndpoint"]
    shown = [each["node"] for page in (first, second["deliveries"]) for each in page["edges"]]
    assert [(each["id"], each["state"], each["tries"]) for each in shown] == [
        ("msg_3", "GIVEN_UP", 10),
        ("msg_2", "WAITING", 2),
        ("msg_1", "WAITING", 0),
        ("msg_0", "TAKEN", 0),
    ]
    assert [bool(each["nextTryAt"]) for each in shown] == [False, True, True, False]
    assert [each["status"] for each in shown[1]["attempts"]] == [None, 503]
    assert orjson.loads(shown[0]["body"])["data"] == {"sequence": "1"}
    assert not second["deliveries"]["pageInfo"]["hasNextPage"]
    me.statements.clear()
    page = (await me.ask(LIST, first=2))["webhookEndpoints"]
    assert len(me.statements) == 3
    rest = (await me.ask(LIST, first=2, after=page["pageInfo"]["endCursor"]))["webhookEndpoints"]
    found = [each["node"] for some in (page, rest) for each in some["edges"]]
    assert sorted(each["id"] for each in found) == sorted(ids)
    assert {each["id"]: each["waiting"] for each in found} == dict(zip(ids, (0, 2, 0), strict=True))
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (3, True, False)


@pytest.mark.parametrize("scope", [Scope.READ, Scope.STEWARD])
async def test_only_an_admin_is_told_of_them(graph: Connection, scope: Scope) -> None:
    for document in (
        LIST.replace("$first: Int!", "$first: Int = 1"),
        CREATE.replace("$url: String!", '$url: String = "x"'),
    ):
        assert await caller(graph, scope).refused(document) == "key_scope"
    assert await replace(caller(graph, Scope.ADMIN), accounts=("account:a",)).refused(LIST, first=1) == "key_scope"
