"""Each member of each union that a mutation answers with is answered by a case here; a new one without fails."""

from collections import defaultdict
from dataclasses import replace
from typing import cast

import anyio
import pytest
from graphql import GraphQLUnionType, get_named_type

from graph import endpoints, segments
from graph.connection import Connection, Transaction
from graph.endpoints import Endpoint, Topic, keep_endpoint
from graph.keys import Scope
from graph.policies import PolicyHeld
from identity.messages import Json, MessageKind
from identity.policy import OverActive
from resolvers.paging import cursor_of
from tests.building import identify, message, track
from tests.graph.telling import telling
from tests.identity.policies import with_rules
from tests.resolvers.calling import Caller, caller
from tests.resolvers.test_mutations import BELONGS, MUTATIONS, OWED, SEGMENT, account, user
from tests.serving import until_async

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

SHARED = "twins@x.com"
LONG = "x" * 1_001
SETTLED = 'suggestion: "%s"'
TWINS = SETTLED % cursor_of(("people", "user_id:u1", "user_id:u2"))
LEES = SETTLED % cursor_of(("people", "email:l.ee@gmail.com", "email:lee@gmail.com"))
NOWHERE = SETTLED % cursor_of(("membership", "email:m@acme.com", "account:nowhere"))
ANN, BOB, U1, U2, NOBODY = map(user, ("ann", "bob", "u1", "u2", "nobody"))
CALLED = '{ namespace: "user_id", value: "%s" }'
ACME, GLOBEX, INITECH, UNKNOWN = map(account, ("acme", "globex", "initech", "nowhere"))
ONE_OF, BAD = '{ id: "%s" }', '{ key: { namespace: "A B", value: "x" } }'


def merge(a: str, b: str, **more: str) -> str:
    return _called("mergeProfiles", {"from": a, "into": b, **more})


def merge_accounts(a: str, b: str, **more: str) -> str:
    return _called("mergeAccounts", {"account": a, "into": b, **more})


def settle(which: str, **more: str) -> str:
    return f"acceptSuggestion({which}{''.join(f', {name}: {value}' for name, value in more.items())})"


def define(name: str = "vip", **more: str) -> str:
    return _called("defineSegment", {"name": f'"{name}"', "definition": SEGMENT, **more})


def trait(who: str, key: str = "name", value: str = '"Ann"', **more: str) -> str:
    return _called("setTrait", {"profile": who, "key": f'"{key}"', "value": value, **more})


def _called(mutation: str, arguments: dict[str, str]) -> str:
    return f"{mutation}({', '.join(f'{name}: {value}' for name, value in arguments.items())})"


def hook(url: str) -> str:
    return _called("createWebhookEndpoint", {"url": f'"{url}"'})


def under(key: str) -> dict[str, str]:
    return {"idempotencyKey": f'"{key}"'}


# Mutations in the order in which they are sent, and what each is answered with; what is forbidden a steward asks for.
CASES: tuple[tuple[str, str], ...] = (
    (define(), "SegmentDefined"),
    (define(" "), "Invalid"),
    (define("vip", **under("s")), "SegmentDefined"),
    (define("other", **under("s")), "IdempotencyConflict"),
    (define("one more"), "TooLarge"),
    ('removeSegment(name: "nothing")', "NothingToDo"),
    ('removeSegment(name: "vip", idempotencyKey: "")', "Invalid"),
    ('removeSegment(name: "vip", idempotencyKey: "r")', "SegmentRemoved"),
    ('removeSegment(name: "other", idempotencyKey: "r")', "IdempotencyConflict"),
    (define("vip", **under("s")), "NotFound"),  # it was defined under this key, and removed since
    (trait(ANN, **under("t")), "TraitDecided"),
    (trait(ANN, value='"Other"', **under("t")), "IdempotencyConflict"),
    (trait(NOBODY), "NotFound"),
    (trait(ANN, key=" "), "Invalid"),
    (trait(ANN, value=f'"{"x" * 33_000}"'), "TooLarge"),
    (merge_accounts(GLOBEX, UNKNOWN), "NotFound"),
    (merge_accounts(GLOBEX, BAD), "Invalid"),
    (merge_accounts(GLOBEX, ACME, note=f'"{LONG}"'), "TooLarge"),
    (merge_accounts(GLOBEX, ACME, **under("a")), "AccountsDecided"),
    (merge_accounts(GLOBEX, INITECH, **under("a")), "IdempotencyConflict"),
    (merge_accounts(GLOBEX, ACME), "NothingToDo"),
    (_called("unmergeAccounts", {"account": GLOBEX, "into": ACME}), "AccountsDecided"),
    (merge_accounts(INITECH, GLOBEX), "AccountsDecided"),
    (merge_accounts(INITECH, ACME), "RuleConflict"),  # it is Globex, which stands as different
    (settle(TWINS), "UniqueConflict"),
    (settle(TWINS, override="true"), "RuleConflict"),  # it would take u3 from her device
    (settle(LEES), "TooLarge"),
    (settle(NOWHERE), "NothingToDo"),
    (settle(TWINS, override="true"), "Forbidden"),
    (settle('suggestion: "none"'), "Invalid"),
    (settle(SETTLED % BELONGS, **under("b")), "SuggestionDecision"),
    (settle(TWINS, **under("b")), "IdempotencyConflict"),
    (merge(BOB, ANN), "UniqueConflict"),
    (merge(U2, U1, override="true"), "RuleConflict"),
    (merge(user("lee@gmail.com", "email"), user("e1@x.com", "email")), "TooLarge"),
    (merge(NOBODY, ANN), "NotFound"),
    (merge(BOB, ANN, override="true"), "Forbidden"),
    (merge(user("null"), ANN), "Invalid"),
    (merge(user("a1", "anonymous_id"), ANN), "NothingToDo"),
    (merge(BOB, ANN, override="true", **under("m")), "Decided"),
    (merge(BOB, U1, override="true", **under("m")), "IdempotencyConflict"),
    (f"erase(by: {NOBODY}, mode: DELETE)", "Erased"),
    (f"erase(by: {user('null')})", "Invalid"),
    (f"erase(by: {ONE_OF % 'none'})", "NotFound"),
    (f'erase(by: {user("cy")}, mode: SUPPRESS_AND_DELETE, idempotencyKey: "e")', "Erased"),
    (f'erase(by: {ANN}, mode: SUPPRESS_AND_DELETE, idempotencyKey: "e")', "IdempotencyConflict"),
    (f"unsuppress(identifier: {CALLED % 'ann'})", "NothingToDo"),
    (f"unsuppress(identifier: {CALLED % 'null'})", "Invalid"),
    (f'unsuppress(identifier: {CALLED % "cy"}, idempotencyKey: "u")', "Unsuppressed"),
    (f'unsuppress(identifier: {CALLED % "ann"}, idempotencyKey: "u")', "IdempotencyConflict"),
    (hook("https://b.example"), "WebhookSecretGiven"),
    (hook("https://b.example"), "TooLarge"),
    (hook("https://10.0.0.1"), "Invalid"),
    (_called("rotateWebhookSecret", {"endpoint": '"e1"', **under("w")}), "WebhookSecretGiven"),
    (_called("rotateWebhookSecret", {"endpoint": '"e1"', "days": "2", **under("w")}), "IdempotencyConflict"),
    (_called("rotateWebhookSecret", {"endpoint": '"e2"'}), "NotFound"),
    (_called("changeWebhookEndpoint", {"endpoint": '"e1"', "paused": "true", **under("x")}), "WebhookEndpointChanged"),
    (_called("changeWebhookEndpoint", {"endpoint": '"e1"', "paused": "false", **under("x")}), "IdempotencyConflict"),
    (_called("changeWebhookEndpoint", {"endpoint": '"e1"', "topics": "[]"}), "Invalid"),
    (_called("recoverWebhooks", {"endpoint": '"e2"', "since": '"2026-01-01T00:00:00Z"'}), "NotFound"),
    ('redeliverWebhook(delivery: "msg_1", idempotencyKey: "y")', "WebhookRedelivered"),
    ('redeliverWebhook(delivery: "msg_2", idempotencyKey: "y")', "IdempotencyConflict"),
    ('redeliverWebhook(delivery: "msg_2")', "NotFound"),
    ('redeliverWebhook(delivery: "msg_1", idempotencyKey: "")', "Invalid"),
    ('removeWebhookEndpoint(endpoint: "e1", idempotencyKey: "z")', "WebhookEndpointRemoved"),
    ('removeWebhookEndpoint(endpoint: "e2", idempotencyKey: "z")', "IdempotencyConflict"),
    ('removeWebhookEndpoint(endpoint: "e1")', "NothingToDo"),
    ('removeWebhookEndpoint(endpoint: "e1", idempotencyKey: "")', "Invalid"),
)
PAIR = "{ a { value } b { value } }"
MORE = {
    "UniqueConflict": f"values {PAIR}",
    "RuleConflict": f"reason values {PAIR} apart {PAIR}",
    "TooLarge": "sizes limits { namespace one other limit }",
    "Invalid": "problems { code place sentence }",
}


async def twins_and_others(graph: Connection) -> Caller:
    """Who may be one and must not, and accounts, under a policy that lets nobody have more than two addresses."""
    policy = with_rules("email", active=2, over_active=OverActive.APART)
    teller = await telling(graph, policy)
    await teller.tell([identify(who, on=f"{who[0]}1", at=1) for who in ("ann", "bob", "cy")])
    await teller.tell([identify("m", email="m@acme.com", at=2)])
    await teller.tell([identify(twin, email=SHARED, at=3) for twin in ("u1", "u2")])
    await teller.tell([track("p", email=SHARED, at=4)])
    await teller.tell([message(MessageKind.IDENTIFY, [("user_id", "u3"), ("device_id", "d")], at=5)])
    await teller.tell([message(MessageKind.TRACK, [("device_id", "d"), ("anonymous_id", "p")], at=6)])
    addresses = (("q1", "e1@x.com"), ("q1", "l.ee@gmail.com"), ("q2", "lee@gmail.com"))
    await teller.tell([track(on, email=email, at=7) for on, email in addresses])
    for name in ("acme", "globex", "initech"):
        await graph.writer.command(
            "CREATE (:Account {key: 'account:' + $name, namespace: 'account', value: $name, domain: $name + '.com', "
            "mail_domain: $name + '.com', first_seen: 1, last_seen: 1})",
            name=name,
        )
    await keep_endpoint(graph.writer, Endpoint("e1", "https://a.example", (Topic.PROFILE_MERGED,), "secret", 1))
    await graph.writer.command(OWED)
    me = caller(graph, Scope.ADMIN)
    return replace(me, world=replace(me.world, policy=policy, held=PolicyHeld(policy)))


def union_of(mutation: str) -> GraphQLUnionType:
    return cast("GraphQLUnionType", get_named_type(MUTATIONS[mutation.partition("(")[0]].type))


def asked(mutation: str) -> str:
    more = "".join(
        f" ... on {each.name} {{ {MORE[each.name]} }}" for each in union_of(mutation).types if each.name in MORE
    )
    return f"mutation {{ it: {mutation} {{ __typename ... on Problem {{ code sentence }}{more} }} }}"


async def test_each_member_of_each_union_is_answered(graph: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_SEGMENTS", 1)
    monkeypatch.setattr(endpoints, "MOST_ENDPOINTS", 2)
    me = await twins_and_others(graph)
    steward = replace(me, scope=Scope.STEWARD)
    answers: dict[str, dict[str, dict[str, Json]]] = defaultdict(dict)
    for mutation, member in CASES:
        answer = (await (steward if member == "Forbidden" else me).ask(asked(mutation)))["it"]
        assert isinstance(answer, dict)
        assert answer["__typename"] == member, (mutation, answer)
        assert "code" not in answer or (answer["code"] and answer["sentence"]), mutation
        answers[union_of(mutation).name].setdefault(member, answer)
    answers["SuggestionAnswer"]["NotFound"] = await accepted_while_one_of_them_goes(graph, me)
    wanted = {(union.name, each.name) for union in map(union_of, MUTATIONS) for each in union.types}
    told = {(union, member) for union, members in answers.items() for member in members}
    assert wanted - told == set()
    assert_says_what_is_in_the_way(answers["SuggestionAnswer"])
    assert_says_what_is_in_the_way(
        answers["DecisionAnswer"] | {"UniqueConflict": answers["SuggestionAnswer"]["UniqueConflict"]}
    )


async def accepted_while_one_of_them_goes(graph: Connection, me: Caller) -> dict[str, Json]:
    """What a suggestion is answered with whose people are gone between its reading and their lock."""
    told = dict[str, Json]()
    begun, release = anyio.Event(), anyio.Event()

    async def gone(tx: Transaction) -> None:
        await tx.rows("MATCH (i:Identifier) WHERE i.key IN $keys SET i.touched = 1", keys=["user_id:u1", "user_id:u2"])
        begun.set()
        await release.wait()
        await tx.rows("MATCH (i:Identifier {key: 'user_id:u2'}) DETACH DELETE i")

    async def accept() -> None:
        told["it"] = (await me.ask(asked(settle(TWINS, override="true"))))["it"]

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(graph.writer.write, gone)
        await begun.wait()
        tasks.start_soon(accept)
        await until_async(lambda: waits(graph))
        release.set()
    assert isinstance(told["it"], dict)
    assert told["it"]["__typename"] == "NotFound", told
    return told["it"]


async def waits(graph: Connection) -> bool:
    rows = await graph.reader.rows("SHOW TRANSACTIONS YIELD status")
    return any(row["status"].startswith("Blocked") for row in rows)


def assert_says_what_is_in_the_way(answers: dict[str, dict[str, Json]]) -> None:
    """The rule, the values and the numbers of it: what is shown to whoever decides."""
    assert answers["UniqueConflict"]["values"] == [{"a": {"value": "u2"}, "b": {"value": "u1"}}]
    rule, large = answers["RuleConflict"], answers["TooLarge"]
    assert (rule["reason"], rule["code"]) == ("UNIQUE", "unique")
    assert "It would take apart who is one person" in str(rule["sentence"])
    assert "u3" in str(rule["sentence"])
    assert large["limits"] == [{"namespace": "email", "one": 1, "other": 2, "limit": 2}]
