"""A mutation is done once under its key, tried without a trace, and tells what it did in the types of its union."""

from dataclasses import replace
from typing import cast

import anyio
import pytest
from graphql import GraphQLUnionType

from graph.connection import Connection
from graph.endpoints import Endpoint, Topic, keep_endpoint
from graph.idempotency import KEPT_MICROS, drop_keys
from graph.keys import Scope
from identity.messages import Json
from resolvers.answering.fields import EXECUTABLE
from resolvers.paging import cursor_of
from tests.building import default_policy, identify
from tests.graph.telling import telling
from tests.graph.whole import everything
from tests.resolvers.calling import NOW, Caller, caller

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

SEGMENT = '{ all: [{ trait: { name: "city", how: EQUALS, value: "Oslo" } }] }'


def user(value: str, namespace: str = "user_id") -> str:
    return f'{{ identifier: {{ namespace: "{namespace}", value: "{value}" }} }}'


def account(value: str) -> str:
    return f'{{ key: {{ namespace: "account", value: "{value}" }} }}'


BELONGS = cursor_of(("membership", "email:m@acme.com", "account:acme"))
# Each mutation in a form that does something, in an order in which all of them do.
DOING = (
    f'defineSegment(name: "osloers", definition: {SEGMENT}',
    'removeSegment(name: "osloers"',
    f'setTrait(profile: {user("ann")}, key: "name", value: "Ann"',
    f'clearTrait(profile: {user("ann")}, key: "name"',
    f"mergeAccounts(account: {account('globex')}, into: {account('acme')}",
    f"unmergeAccounts(account: {account('globex')}, into: {account('acme')}",
    f'acceptSuggestion(suggestion: "{BELONGS}"',
    f'reopenSuggestion(suggestion: "{BELONGS}"',
    f'dismissSuggestion(suggestion: "{BELONGS}"',
    f'mergeProfiles(from: {user("bob")}, into: {user("ann")}, override: true, note: "twice"',
    f"unmerge(what: {{ pair: {{ a: {user('ann')}, b: {user('a1', 'anonymous_id')} }} }}",
    f"erase(by: {user('cy')}, mode: SUPPRESS_AND_DELETE",
    'unsuppress(identifier: { namespace: "user_id", value: "cy" }',
    'createWebhookEndpoint(url: "https://b.example", topics: [PROFILE_MERGED, PROFILE_SPLIT]',
    'changeWebhookEndpoint(endpoint: "e1", topics: [PROFILE_SPLIT], paused: true',
    'rotateWebhookSecret(endpoint: "e1", days: 2',
    'redeliverWebhook(delivery: "msg_1"',
    'recoverWebhooks(endpoint: "e1", since: "2026-01-01T00:00:00Z"',
    'removeWebhookEndpoint(endpoint: "e1"',
)
ENDPOINT = "endpoint { url topics state createdAt waiting formerSecretUntil recovery { since askedAt many done } }"
OWED = """
CREATE (:WebhookDelivery {id: 'msg_1', endpoint: 'e1', seq: 1, type: 'profile.merged', at: 1, tries: 3, due_at: 9,
  body: '{"type": "profile.merged", "data": {"sequence": "1"}}', tried: [1, 2, 3], answered: [500, 0, 503],
  status: 503})
"""
PEOPLE = "{ id known identifiers { value } traits { name value } interactions }"
LINKS = "{ a { value } b { value } kind reason }"
OF_TYPE = {
    "SegmentAnswer": "... on SegmentDefined { segment { name usable } }",
    "RemovalAnswer": "... on SegmentRemoved { name }",
    "TraitAnswer": f"... on TraitDecided {{ after {PEOPLE} }}",
    "AccountAnswer": "... on AccountsDecided { organisations { accounts { value } members deals } }",
    "SuggestionAnswer": "... on SuggestionDecision { outcome sentence }",
    "DecisionAnswer": (
        f"... on Decided {{ before {{ id identifiers {{ value }} }} after {PEOPLE} refused {LINKS} accepted {LINKS} }}"
    ),
    "EraseAnswer": "... on Erased { ids profiles interactions observations acts scrubbed pending policies }",
    "UnsuppressAnswer": "... on Unsuppressed { identifier { value } }",
    "WebhookSecretAnswer": f"... on WebhookSecretGiven {{ {ENDPOINT} }}",
    "WebhookEndpointAnswer": f"... on WebhookEndpointChanged {{ {ENDPOINT} }}",
    "WebhookRemovalAnswer": "... on WebhookEndpointRemoved { id }",
    "WebhookDeliveryAnswer": (
        f"... on WebhookRedelivered {{ {ENDPOINT} delivery {{ id state tries nextTryAt attempts {{ at status }} }} }}"
    ),
}
MUTATIONS = EXECUTABLE.mutation_type.fields if EXECUTABLE.mutation_type else {}


def asked(doing: str, **more: str) -> str:
    """A mutation that tells all that its answer tells."""
    kind = cast("GraphQLUnionType", MUTATIONS[doing.partition("(")[0]].type).name
    arguments = "".join(f", {name}: {value}" for name, value in more.items())
    return f"mutation {{ it: {doing}{arguments}) {{ __typename ... on Problem {{ code sentence }} {OF_TYPE[kind]} }} }}"


async def known(graph: Connection) -> Caller:
    teller = await telling(graph, default_policy())
    await teller.tell(
        [
            identify("ann", on="a1", traits={"name": "A"}, at=1, id="m1"),
            identify("bob", on="b1", at=2, id="m2"),
            identify("cy", on="c1", at=3, id="m3"),
            identify("m", email="m@acme.com", at=4, id="m4"),
        ]
    )
    for name, domain in (("acme", "acme.com"), ("globex", "globex.com")):
        await graph.writer.command(
            "CREATE (:Account {key: 'account:' + $name, namespace: 'account', value: $name, domain: $domain, "
            "mail_domain: $domain, first_seen: 1, last_seen: 1})",
            name=name,
            domain=domain,
        )
    await keep_endpoint(graph.writer, Endpoint("e1", "https://a.example", (Topic.PROFILE_MERGED,), "secret", 1))
    await graph.writer.command(OWED)
    return caller(graph, Scope.ADMIN)


async def test_what_a_dry_run_says_is_what_doing_it_says_and_the_same_key_hears_it_again(graph: Connection) -> None:
    me = await known(graph)
    for number, doing in enumerate(DOING):
        before = await everything(graph)
        preview = (await me.ask(asked(doing, dryRun="true", idempotencyKey='"unused"')))["it"]
        assert await everything(graph) == before, doing
        key = {"idempotencyKey": f'"k{number}"'}
        first = (await me.ask(asked(doing, **key)))["it"]
        assert first == preview, doing
        assert "code" not in cast("dict[str, Json]", first), doing
        after = await everything(graph)
        assert after != before, doing
        assert (await me.ask(asked(doing, **key)))["it"] == first, doing
        assert await everything(graph) == after, doing
        other = doing.replace("(", '(note: "no", ', 1)
        if "note" in MUTATIONS[doing.partition("(")[0]].args and "note:" not in doing:
            told = (await me.ask(asked(other, **key)))["it"]
            assert cast("dict[str, Json]", told)["__typename"] == "IdempotencyConflict", doing
    done = {doing.partition("(")[0] for doing in DOING}
    assert MUTATIONS.keys() - done == {"undoDecision"}


async def test_of_two_at_once_with_one_key_one_does_it_and_both_hear_the_same(graph: Connection) -> None:
    me = await known(graph)
    answers: list[Json] = []
    merge = asked(DOING[9], idempotencyKey='"both"').replace("before {", "decision before {")

    async def one() -> None:
        answers.append((await me.ask(merge))["it"])

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(one)
    assert answers[0] == answers[1] == answers[2]
    (row,) = await graph.reader.rows("MATCH (x:Act) RETURN count(DISTINCT x.decision) AS many")
    assert row["many"] == 1
    decision = cast("dict[str, Json]", answers[0])["decision"]
    undo = asked(f'undoDecision(decision: "{decision}"', idempotencyKey='"undo"')
    assert (await me.ask(undo)) == (await me.ask(undo))
    assert cast("dict[str, Json]", (await me.ask(undo))["it"])["__typename"] == "Decided"


async def test_a_key_is_of_its_holder_is_gone_after_two_days_and_keeps_no_value(graph: Connection) -> None:
    me = await known(graph)
    set_ = asked(DOING[2], idempotencyKey='"mine"')
    await me.ask(set_)
    (row,) = await graph.reader.rows("MATCH (k:IdempotencyKey) RETURN properties(k) AS facts")
    text = str(row["facts"])
    assert not any(word in text for word in ("mine", "Ann", "ann", "name", "setTrait", "a1"))
    stranger = replace(me, name="another")
    await stranger.ask(asked(DOING[3], idempotencyKey='"mine"'))
    assert await drop_keys(graph.writer, NOW - KEPT_MICROS) == 0
    assert await drop_keys(graph.writer, NOW + 1) == 2


async def test_what_was_refused_is_not_remembered_and_a_key_has_its_length(graph: Connection) -> None:
    me = await known(graph)
    early = asked(DOING[5], idempotencyKey='"again"')
    assert await me.problem(early) == "not_merged"
    assert await graph.reader.rows("MATCH (k:IdempotencyKey) RETURN k.key AS key") == []
    await me.ask(asked(DOING[4]))
    assert cast("dict[str, Json]", (await me.ask(early))["it"])["__typename"] == "AccountsDecided"
    for key in ("", "x" * 201):
        assert await me.problem(asked(DOING[4], idempotencyKey=f'"{key}"')) == "idempotency_key"
