"""Erasing on the real Neo4j: nothing of a value stays, what it alone held together parts, a kill loses nothing."""

from dataclasses import replace

import anyio
import pytest
from uuid_utils import uuid7

from graph.account_decisions import Outcome as AccountOutcome
from graph.account_decisions import decide_accounts
from graph.connection import Connection
from graph.dead_letters import dead_letters, record_dead_letters
from graph.erasure import Finished, finish_erasures, unfinished, unsuppressed
from graph.ingestion import Status, commit_batch
from graph.pending import drain_pending
from graph.rebuild import verify
from graph.tombstones import remembered
from identity.accounts import AccountAct
from identity.erasure import ERASED, Mode, Named, Scope, named
from identity.evidence import sha256_of
from identity.messages import (
    About,
    AccountStatement,
    Message,
    MessageKind,
    Rejection,
    SourceName,
    Subject,
    Warned,
    moment,
)
from tests.building import RECEIVED, default_policy, identify, message, track
from tests.graph.erasing import AT, HASHING, erased, readable, tools
from tests.graph.killing import Killed, KilledError
from tests.graph.telling import Teller

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

ANN = "ann.lee@example.com"
FAMILY = "fam@example.com"


async def teller(graph: Connection) -> Teller:
    return Teller(graph, default_policy())


async def sound(graph: Connection) -> None:
    await drain_pending(graph.writer, default_policy(), AT + 1)
    assert await verify(graph.reader, default_policy()) == ()


async def people(graph: Connection) -> set[frozenset[str]]:
    rows = await graph.reader.rows("MATCH (p:Profile)<-[:IDENTIFIES]-(i) RETURN p.id AS id, collect(i.key) AS keys")
    return {frozenset(row["keys"]) for row in rows}


def mentioning(sent: Message) -> Message:
    """A message of somebody else that tells her address in every place where one can stand."""
    return replace(
        sent,
        traits={"partner": ANN.upper(), "bio": f"write to {ANN}, please"},
        properties={"note": {"to": [ANN, "me"], "text": f"<{ANN}>"}, "amount": 7},
        context={"page": {"url": f"https://shop.example/?mail={ANN}"}},
        about=(About(Subject.ORDER, "web:o2", {"receiver": ANN, "total": 9}),),
    )


HISTORY = (
    identify("ann-77", "a1", email=ANN, at=1, traits={"name": "Ann", "email": ANN}, id="m1"),
    track("a1", at=2, id="m2"),
    replace(track(user="ann-77", at=3, id="m3"), about=(About(Subject.ORDER, "web:o1", {"street": "Elm 7"}),)),
    identify("bob", "b1", email=FAMILY, at=4, id="m4"),
    identify("ann-77", email=FAMILY, at=5, id="m5"),
    mentioning(identify("bob", at=6, id="m6")),
)


HERS = ("user_id:ann-77", "email:" + ANN, "anonymous_id:a1", "anonymous_id:c3", "anonymous_id:c4")
CARLS = ("anonymous_id:c1", "anonymous_id:c2")
IDS_THAT_TELL = (  # the first of them are how others came to be known
    identify("carl", "c1", at=7, id=f"invited-by-{ANN}", traits={"title": f"friend_of_{ANN}_2024"}),
    identify("carl", "c2", at=8, id=f"again-by-{ANN}", traits={"site": f"/?mail={ANN.replace('@', '%40')}"}),
    replace(track("c2", at=9, id=f"paid-for-{ANN}"), about=(About(Subject.ORDER, "web:o3", {"total": 9}),)),
    identify("ann-77", "c3", at=10, id=f"login-{ANN}"),
    identify("ann-77", "c4", at=11, id="m11"),
)


def group(user: str, account: AccountStatement, at: float = 0) -> Message:
    return message(MessageKind.GROUP, [("user_id", user)], at=at, account=account)


HERS_ALONE = AccountStatement(f"account:{ANN}", {"domain": ANN, "name": "Elm"}, role=f"aide of {ANN}")
NAMED_AFTER_HER = (  # what accounts and things are called, traits, what an address folds to, who stands in a warning
    message(MessageKind.GROUP, [("user_id", "bob")], at=12, account=replace(HERS_ALONE, parent="account:elm")),
    group("carl", AccountStatement("account:elm", parent=f"account:{ANN}"), at=13),
    group("carl", AccountStatement(f"account:of-{ANN}"), at=13),
    replace(
        track(user="bob", at=14),
        about=(
            *(About(each, f"web:of-{ANN}", {"n": 1}) for each in Subject),
            About(Subject.DEAL, "web:d1", account=f"account:{ANN}"),
        ),
        channel=f"to {ANN}",
    ),
    identify("bob", email=ANN.replace("@", "+news@"), at=15, traits={f"likes {ANN}": True}),
    replace(track(user="bob", at=16), warnings=(Warned("not_a_text", "name", f"`{ANN}` is none"),)),
)
NAMING = f"{default_policy().text}\n# asked by {ANN}\n"
TOLD_ELSEWHERE = (
    "CREATE (:Run {id: 'r1', file: 'of-' + $ann + '.csv', messages: 7, columns: ['id', $ann], by: 'host:1'})",
    "CREATE (:Segment {name: 'near ' + $ann, definition: '{\"value\": \"' + $ann + '\"}'})",
    "CREATE (:PolicyVersion {number: 7, note: 'asked by ' + $ann, text: $text, state: 'past'})",
    "CREATE (:AccountAct {id: 'y', same: false, account: 'a:1', into: 'a:2', at: 0, by: '', note: 'for ' + $ann})",
    """
    MATCH (i:Identifier {key: 'user_id:ann-77'})
    CREATE (:Change {id: '1', note: 'Ann', messages: ['x'], at: 0, kind: 'decided', cause: 'decision'})-[:CONCERNS]->(i)
    """,
)


async def test_of_a_person_nothing_is_readable_and_the_dry_run_said_so(graph: Connection) -> None:
    told = await teller(graph)
    await told.steps(HISTORY)
    await told.steps([*IDS_THAT_TELL, *NAMED_AFTER_HER])
    merged = AccountAct("x", True, f"account:{ANN}", "account:other", 1)
    await told.tell([group("carl", AccountStatement("account:other"))])
    assert (await decide_accounts(graph.writer, merged, AT)).outcome is AccountOutcome.DONE
    for statement in TOLD_ELSEWHERE:
        await graph.writer.command(statement, ann=ANN, text=NAMING)
    assert len(await readable(graph, ANN)) > 20
    tried = await erased(graph, "email:" + ANN, dry=True)
    assert len(await readable(graph, ANN)) > 10
    assert await unfinished(graph) == 0
    done = await erased(graph, "email:" + ANN)
    assert done == tried
    assert {key for key, _ in done.identifiers} == set(HERS)
    assert (done.interactions, done.scrubbed > 0) == (6, True)
    assert await graph.reader.rows("MATCH (c:Change {id: '1'}) RETURN c.note AS note, c.messages AS said") == [
        {"note": None, "said": None}
    ]
    for value in (ANN, ANN.replace("@", "%40"), "ann-77", "Elm 7", "web:o1"):
        assert await readable(graph, value) == []
    bob = {"user_id:bob", "anonymous_id:b1", "email:" + FAMILY, "email:" + ANN.replace("@", "+news@")}
    carl = {"user_id:carl", *CARLS}
    assert await people(graph) == {frozenset(bob), frozenset(carl)}
    await sound(graph)


HELD = """
MATCH (i:Identifier)-[m:MEMBER_OF]->(a:Account)
WITH a, i, m ORDER BY i.value
RETURN a.key AS account, collect(i.value + ' ' + m.role) AS members ORDER BY account
"""


async def test_an_account_and_an_order_that_were_named_after_her_go_on_under_one_pseudonym(graph: Connection) -> None:
    told = await teller(graph)
    order = About(Subject.ORDER, f"web:{ANN}-1", {"n": 1}, account=f"account:{ANN}")
    bobs = replace(group("bob", AccountStatement(f"account:{ANN}"), at=2), about=(order,))
    await told.steps([identify("ann-77", email=ANN, at=1), bobs, track(user="carl", at=3)])
    await erased(graph, "email:" + ANN)
    again = group("carl", AccountStatement(f"account:{ANN}", {"size": 2}), at=4)
    later = replace(again, about=(replace(order, facts={"n": 2}),), context={"groupId": ANN})
    new = replace(identify("carl", email=ANN, at=0, id=f"by-{ANN}"), account=AccountStatement(f"account:not-{ANN}"))
    assert [each.status for each in await told.tell([later, new])] == [Status.COMMITTED] * 2
    assert [each.status for each in await told.tell([new])] == [Status.ERASED]
    account = HASHING.pseudonym(f"account:{ANN}")
    assert await graph.reader.rows(HELD) == [{"account": account, "members": ["bob member", "carl member"]}]
    (row,) = await graph.reader.rows("MATCH (o:Order) RETURN o.key AS key, o.facts AS facts, o.account AS account")
    assert row == {"key": HASHING.pseudonym(order.key), "facts": '{"n":2}', "account": account}
    assert await readable(graph, ANN) == []
    await erased(graph, "email:" + ANN)
    assert len(await graph.reader.rows(HELD)) == 1
    await sound(graph)


async def test_what_is_erased_by_its_hash_is_the_address_and_keeps_it_out_until_it_is_let_in(graph: Connection) -> None:
    told = await teller(graph)
    await told.steps([identify("u1", email=ANN, at=1), identify("u2", at=2)])
    await erased(graph, f"email_sha256:{sha256_of(ANN)}", Mode.SUPPRESS_AND_DELETE)
    assert (await readable(graph, ANN), await people(graph)) == ([], {frozenset({"user_id:u2"})})
    await erased(graph, f"email_sha256:{sha256_of(FAMILY)}", Mode.SUPPRESS_AND_DELETE)
    sent = [track(email=FAMILY, at=None), identify("u2", email=FAMILY, at=None)]
    assert [each.status for each in await told.tell(sent)] == [Status.ERASED, Status.COMMITTED]
    assert await people(graph) == {frozenset({"user_id:u2"})}
    asked = known("email", FAMILY)
    stone = (await remembered(graph.reader, [asked], HASHING))[asked.key]
    assert (stone.mode, stone.suppressed) == (Mode.SUPPRESS_AND_DELETE, 1)
    assert await unsuppressed(graph, [asked], HASHING, "x", AT) == [asked.key]
    assert await unsuppressed(graph, [asked], HASHING, "x", AT) == []
    new = replace(track(email=FAMILY, at=None), at=moment(AT + 1))
    assert [each.status for each in await told.tell([new])] == [Status.COMMITTED]


async def test_a_policy_in_force_that_names_a_value_is_told_of(graph: Connection) -> None:
    await graph.writer.command("CREATE (:PolicyVersion {number: 2, text: $text, state: 'in_force'})", text=NAMING)
    assert (await erased(graph, "email:" + ANN)).policies == (2,)


def known(namespace: str, value: str) -> Named:
    found = named(namespace, value, default_policy())
    assert isinstance(found, Named)
    return found


async def test_an_address_that_two_people_used_is_hers_alone_again(graph: Connection) -> None:
    """T28: without his use of it the evidence for more than one person is gone."""
    told = await teller(graph)
    await told.steps([identify("u1", email=FAMILY, at=1), identify("u2", email=FAMILY, at=2)])
    done = await erased(graph, "user_id:u2", scope=Scope.IDENTIFIER)
    assert await people(graph) == {frozenset({"user_id:u1", "email:" + FAMILY})}
    assert [each.identifiers for each in done.after] == [("email:" + FAMILY, "user_id:u1")]
    assert await graph.reader.rows("MATCH ()-[s:SHARED_BY]->() RETURN s") == []
    await sound(graph)


async def test_what_an_identifier_alone_held_together_parts(graph: Connection) -> None:
    told = await teller(graph)
    await told.steps([identify("u1", "a1", at=1), track("a2", email=ANN, at=2), identify("u1", email=ANN, at=3)])
    assert len(await people(graph)) == 1
    done = await erased(graph, "email:" + ANN, scope=Scope.IDENTIFIER)
    assert await people(graph) == {frozenset({"user_id:u1", "anonymous_id:a1"}), frozenset({"anonymous_id:a2"})}
    assert done.interactions == 0
    assert await readable(graph, ANN) == []
    await sound(graph)


SPELLINGS = ("ask [erased]", f"ask {ANN}", f"ask {ANN.upper()}", f"ask {ANN.title()}")
SAID = "MATCH (:Identifier)<-[:OF]-(o:Observation {trait: 'note'}) RETURN o.value AS value, o.count AS count"


@pytest.mark.parametrize("at_once", [1_000, 2])
async def test_values_that_are_the_same_without_hers_are_one(graph: Connection, at_once: int) -> None:
    told = await teller(graph)
    said = [identify("bob", at=number, traits={"note": note}) for number, note in enumerate(SPELLINGS)]
    await told.steps([identify("ann-77", email=ANN, at=0), *said])
    await erased(graph, "email:" + ANN, at_once=at_once)
    assert [(row["value"], row["count"]) for row in await graph.reader.rows(SAID)] == [('"ask [erased]"', 4)]
    assert (await readable(graph, ANN), await unfinished(graph)) == ([], 0)
    await sound(graph)


async def test_of_a_record_that_tells_the_erased_the_text_is_not_kept(graph: Connection) -> None:
    bad = Rejection("not_json", "batch[0]", f"`{ANN}` is no moment", f"m-{ANN}", f'{{"email": "{ANN.upper()}"')
    other = Rejection("not_json", "batch[1]", "this is no JSON", None, "bob@example.com")
    await erased(graph, "email:" + ANN, Mode.SUPPRESS_AND_DELETE)
    await record_dead_letters(graph.writer, SourceName("web"), [bad, other], RECEIVED, HASHING)
    assert await readable(graph, ANN) == []
    assert {each.rejection.raw for each in await dead_letters(graph.reader)} == {ERASED, "bob@example.com"}


async def test_an_erasure_in_the_midst_of_another_takes_no_suppression_back(graph: Connection) -> None:
    await much(graph)
    whole = _Between(graph, "user_id:u1")
    done = await erased(whole, "email:" + ANN, Mode.SUPPRESS_AND_DELETE, at_once=10)
    assert (done.identifiers, await unfinished(graph)) == ((), 0)
    asked = [known("user_id", "u1"), known("email", ANN)]
    stones = await remembered(graph.reader, asked, HASHING)
    assert [stones[each.key].mode for each in asked] == [Mode.SUPPRESS_AND_DELETE] * 2


async def much(graph: Connection) -> None:
    told = await teller(graph)
    await told.tell([identify("u1", "tab", email=ANN, at=0), identify("u2", "tab", at=600)])
    await told.tell([track("tab", at=number / 100, id=f"on-tab-{number}") for number in range(25)])
    await told.tell([track(user="u1", at=number, id=f"own-{number}") for number in range(25)])
    await told.tell([mentioning(track(user="u2", at=number, id=f"others-{number}")) for number in range(25)])


@pytest.mark.parametrize("at_once", [10, 2])
async def test_a_large_erasure_is_what_its_dry_run_said(graph: Connection, at_once: int) -> None:
    """In parts; with two at once the dry run counts interactions that it does not delete."""
    await much(graph)
    tried = await erased(graph, "user_id:u1", dry=True, at_once=at_once)
    assert await erased(graph, "user_id:u1", at_once=at_once) == tried
    assert (tried.interactions, await unfinished(graph), await readable(graph, ANN)) == (51, 0, [])
    await sound(graph)


BROKEN = "CREATE (:Erasure {id: '0', mints: ['x'], mode: 'unheard of', scope: 'profile', by: '', touched_at: 0})"


async def test_a_large_erasure_ends_after_any_kill(graph: Connection) -> None:
    await much(graph)
    tried = await erased(graph, "user_id:u1", dry=True, at_once=10)
    for stop in range(1, 40):
        try:
            await erased(Killed.after(graph, stop), "user_id:u1", at_once=10)
            break
        except KilledError:
            waiting = await unfinished(graph)
            if waiting:
                waits = await finish_erasures(Killed.after(graph, 99), tools(at_once=10))
                assert waits == Finished(0, ()), "somebody is at work"
                break
    assert await unfinished(graph) == 1
    await graph.writer.command(BROKEN)
    assert await finish_erasures(graph, tools(AT + 61_000_000, at_once=10)) == Finished(1, (("0", "ValueError"),))
    assert await unfinished(graph) == 1
    assert await readable(graph, ANN) == []
    left = await graph.reader.rows("MATCH (i:Interaction) RETURN count(i) AS many")
    assert (left[0]["many"], tried.interactions) == (26, 51)
    await sound(graph)


async def test_a_message_that_comes_at_the_same_moment_brings_nothing_back(graph: Connection) -> None:
    told = await teller(graph)
    for number in range(5):
        await told.tell([identify("u1", "a1", email=ANN, at=1, id=f"first-{number}"), identify("u2", at=1)])
        same = [identify("u1", "a1", email=ANN, at=2, id=f"same-{number}-{each}") for each in range(3)]
        async with anyio.create_task_group() as tasks:
            for each in same:
                tasks.start_soon(committed, graph, each)
            tasks.start_soon(erased, graph, "user_id:u1")
        assert await readable(graph, ANN) == []
        assert await people(graph) == {frozenset({"user_id:u2"})}
    await sound(graph)


async def test_who_names_an_account_while_it_gets_its_pseudonym_means_this_one(graph: Connection) -> None:
    told = await teller(graph)
    for number in range(3):
        hers = f"{number}.{ANN}"
        known_as = AccountStatement(f"account:{hers}")
        order = (About(Subject.ORDER, f"web:{hers}", {"n": 1}),)
        await told.tell([identify("u1", email=hers, at=number), replace(group("u2", known_as, at=number), about=order)])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(erased, graph, "email:" + hers)
            for each in range(3):
                again = replace(group("u3", known_as, at=each), message_id=f"{number}-{each}", about=order)
                tasks.start_soon(committed, graph, again)
        names = await graph.reader.rows("MATCH (n:Account|Order) RETURN n.key AS key ORDER BY key")
        assert len(names) == 2 * (number + 1)
        assert not [each for each in names if hers in each["key"]]
    await sound(graph)


async def committed(graph: Connection, sent: Message) -> None:
    await commit_batch(graph.writer, [sent], default_policy(), lambda: str(uuid7()), RECEIVED, hashing=HASHING)


class _Between:
    """A graph in which somebody erases a person as soon as a large erasure of hers has begun."""

    def __init__(self, graph: Connection, key: str) -> None:
        self.graph, self.key = graph, key
        self.reader, self.writer = graph.reader, self

    async def write(self, *args: object, **more: object) -> object:
        result = await self.graph.writer.write(*args, **more)
        if self.key and await unfinished(self.graph):
            key, self.key = self.key, ""
            await erased(self.graph, key)
        return result
