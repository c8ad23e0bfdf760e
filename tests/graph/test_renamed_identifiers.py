"""What was said by hand of an address holds for what the address is under another policy."""

import pytest

from graph.applying import apply
from graph.connection import Connection, Transaction
from graph.erasure import unsuppressed
from graph.manual_traits import clear_trait, set_by_hand, set_trait
from graph.rebuild import verify
from graph.tombstones import remembered
from identity.erasure import Mode, Named, named
from identity.evidence import ActKind
from identity.identifiers import IdentifierKey
from identity.policy import Normaliser, Policy
from tests.building import act, default_policy, identify, track
from tests.graph.erasing import HASHING, erased
from tests.graph.test_policy_changes import NOW, Change, changing, with_email, written

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

GUEST = IdentifierKey("email:g.uest@gmail.com")
PEOPLE = """
MATCH (i:Identifier)-[:IDENTIFIES]->(p:Profile)
WITH p, i ORDER BY i.value
RETURN collect(i.value) AS values, p.t_name AS name, p.id AS id
ORDER BY values
"""
BELONGS = """
MATCH (i:Identifier {key: 'email:g.uest@gmail.com'})
MERGE (a:Account {key: 'account:acme'})
CREATE (i)-[:MEMBER_OF {role: 'member', source: 'manual', from: 1, last_seen: 1, recorded_at: 1}]->(a),
  (i)-[:NOT_MEMBER_OF {at: 1}]->(a)
"""
TAKEN_BACK = "MATCH (i:Identifier)<-[:WAS_OF]-(o:Observation) RETURN i.value AS of, o.value AS value"
BELONGING = "MATCH (i:Identifier)-[r]->(:Account) RETURN i.value AS value, type(r) AS what ORDER BY what"


async def _belong(tx: Transaction) -> None:
    await tx.rows(BELONGS)


async def change_to(change: Change, policy: Policy) -> None:
    await apply(change.graph, policy, change.applier())
    assert await verify(change.graph.reader, policy) == ()


async def test_decisions_values_and_memberships_by_hand_survive_a_policy_that_folds_addresses_and_one_that_does_not(
    graph: Connection,
) -> None:
    change = await changing(graph, default_policy())
    await change.teller.tell([identify("u1", email="a.nn@gmail.com"), identify("u2"), track(email="m.anual@gmail.com")])
    await change.teller.tell([track(email="g.uest@gmail.com")])
    await change.teller.decide(act(ActKind.DIFFERENT, "user_id:u1", "email:a.nn@gmail.com", at=1, id="1"))
    await change.teller.decide(act(ActKind.SAME, "user_id:u2", "email:m.anual@gmail.com", at=2, id="2"))
    await set_trait(graph.writer, GUEST, set_by_hand("name", "Guest", "x", NOW), default_policy(), NOW, "kim")
    await set_trait(graph.writer, GUEST, set_by_hand("city", "Oslo", "y", NOW), default_policy(), NOW, "kim")
    await clear_trait(graph.writer, GUEST, "city", default_policy(), NOW + 1, "kim")
    await graph.writer.write(_belong)
    before = await graph.reader.rows(PEOPLE)
    assert [each["values"] for each in before][1:] == [["g.uest@gmail.com"], ["m.anual@gmail.com", "u2"], ["u1"]]
    folded = written(with_email(normaliser=Normaliser.EMAIL_FOLDED)(default_policy()))
    report = await change.simulated(folded)
    assert (report.merges, report.splits, report.traits) == (0, 0, 0)
    assert report.notes == ("2 acts by hand go over to what their identifiers are then",)
    await change_to(change, folded)
    now = await graph.reader.rows(PEOPLE)
    assert [
        {**each, "values": [value.replace(".", "", value.count(".") - 1) for value in each["values"]]}
        for each in before
        if each["values"] != ["u1"]
    ] == [each for each in now if each["values"] != ["u1"]]
    assert [each["value"] for each in await graph.reader.rows(BELONGING)] == ["guest@gmail.com"] * 2
    assert await graph.reader.rows(TAKEN_BACK) == [{"of": "guest@gmail.com", "value": '"Oslo"'}]
    await change_to(change, written(default_policy()))
    assert await graph.reader.rows(PEOPLE) == before
    assert [each["value"] for each in await graph.reader.rows(BELONGING)] == ["g.uest@gmail.com"] * 2


@pytest.mark.parametrize("mode", Mode)
async def test_an_erased_address_is_known_again_under_another_policy_and_its_neighbour_comes_in(
    graph: Connection, mode: Mode
) -> None:
    change = await changing(graph, default_policy())
    await change.teller.tell([track(email="s.upp@gmail.com"), identify("u1")])
    await erased(graph, "email:s.upp@gmail.com", mode)
    folded = written(with_email(normaliser=Normaliser.EMAIL_FOLDED)(default_policy()))
    await change_to(change, folded)
    await change.teller.tell([track(email="S.Upp@gmail.com", at=1, id="again")])
    assert await change.count("(:Identifier {namespace: 'email'})") == 0
    await change.teller.tell([track(email="su.pp@gmail.com", at=1, id="a neighbour")])
    assert await change.count("(:Identifier {key: 'email:supp@gmail.com'})") == 1
    asked = named("email", "S.upp@gmail.com", folded)
    assert isinstance(asked, Named)
    assert (await remembered(graph.reader, [asked], HASHING))[asked.key].mode is mode
    let_in = await unsuppressed(graph, [asked], HASHING, "x", NOW)
    assert let_in == ([asked.key] if mode is Mode.SUPPRESS_AND_DELETE else [])


async def test_two_lone_addresses_that_fold_into_one_are_a_merge_in_the_simulation(graph: Connection) -> None:
    change = await changing(graph, default_policy())
    await change.teller.tell([track(email="a.nn+x@gmail.com"), identify("u9", email="ann@gmail.com")])
    report = await change.simulated(written(with_email(normaliser=Normaliser.EMAIL_FOLDED)(default_policy())))
    assert (report.people_before, report.people_after, report.merges, report.splits) == (2, 1, 1, 0)
