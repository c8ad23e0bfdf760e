"""Cases T24, T25, T32 to T43, T50 to T53, T63 and T65 of the catalogue: identifiers, traits and time, through HTTP.

After every case `verify` finds nothing.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from graph.connection import Connection
from graph.keys import Scope
from identity.evidence import sha256_of
from identity.messages import Json, SourceName, micros
from selfsame.keys import create_key
from tests.building import START, default_policy
from tests.serving import Neo4jAddress, empty
from tests.walks.processes import environment, loaded
from tests.walks.sending import alias, identify, message, moment, track
from tests.walks.service import Company, codes, differences, in_process, sets

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


@pytest.fixture
async def company(graph: Connection) -> AsyncIterator[Company]:
    """A company whose people are, at the end of each case, what follows from the evidence."""
    async with in_process(graph) as running:
        yield running
        assert await differences(graph) == ()


NAMED = """
query ($user: String!) {
  profile(by: { identifier: { namespace: "user_id", value: $user } }) { traits { name value } }
}
"""


async def trait(company: Company, of: str, name: str = "name") -> Json:
    """What somebody shows of a trait; None when nothing stands."""
    found = (await company.ask(NAMED, user=of))["profile"]["traits"]
    return next((each["value"] for each in found if each["name"] == name), None)


# Logout, and what an alias may not join


async def test_t24_after_the_logout_the_tablet_is_nobodys(company: Company) -> None:
    await company.send(
        identify("u1", "a1", at=1),
        track("a1", at=2, name="Signed Out"),
        track("a1", at=3, name="between"),
        identify("u2", "a1", at=4),
    )
    assert await company.events() == {"a1": ("between",), "u1": ("identify", "Signed Out"), "u2": ("identify",)}


async def test_t25_an_alias_of_a_cookie_that_is_somebodys_joins_nobody_and_warns(company: Company) -> None:
    """Two user ids use the cookie now, so it is a shared tablet; who sent the alias hears that it joined nobody."""
    await company.send(identify("u1", "a1", at=1))
    (answer,) = await company.send(alias("a1", "u2", at=2))
    assert await company.people() == sets("u1", "u2")
    assert codes(answer) == ["refused_generic"]


# Garbage


async def test_t32_an_address_of_a_test_form_names_nobody(company: Company) -> None:
    first, second = await company.send(*(identify(user, email="test@test.com") for user in ("u1", "u2")))
    assert (codes(first), codes(second)) == (["blocked_identifier"], ["blocked_identifier"])
    await company.send(identify("u1", email="ann@example.com"))
    assert await company.people() == sets("u1 ann@example.com", "u2")


async def test_t34_a_number_and_the_same_number_as_text_are_one_user(company: Company) -> None:
    await company.send(identify(42, "a1"), identify("42", "a2"))
    assert await company.people() == sets("42 a1 a2")


async def test_t35_an_empty_user_id_on_every_hit_joins_no_visits(company: Company) -> None:
    await company.send(*(track(f"a{number}", user="") for number in range(3)))
    assert await company.people() == sets("a0", "a1", "a2")


# Normalisation


async def test_t36_the_case_of_an_address_and_spaces_around_it_mean_nothing(company: Company) -> None:
    await company.send(identify("u1", email=" Ann@X.COM "), track("a1", email="ann@x.com"))
    assert await company.people() == sets("u1 a1 ann@x.com")


async def test_t37_dots_and_plus_tags_are_other_addresses(company: Company) -> None:
    await company.send(identify("u1", email="a.nn+news@gmail.com"), identify("u2", email="ann@gmail.com"))
    assert await company.people() == sets("u1 a.nn+news@gmail.com", "u2 ann@gmail.com")


GERMAN = """
source = "till"
region = "DE"
[[message]]
kind = "identify"
identifiers = [{ namespace = "anonymous_id", value = "card" }, { namespace = "phone", value = "phone" }]
"""


async def test_t38_a_phone_is_one_however_it_is_written_and_no_number_is_a_trait_alone(
    company: Company, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    """Senders by HTTP write the country; a national number needs the region of a file's mapping."""
    await company.send(
        identify("u1", traits={"phone": "+49 171 2345678"}), track("a1", context={"traits": {"phone": "+491712345678"}})
    )
    (answer,) = await company.send(identify("u3", traits={"phone": "12345"}))
    loaded(environment(tmp_path, neo4j_server), GERMAN, "card,phone", "a2,0171 2345678")
    assert await company.people() == sets("u1 a1 a2 +491712345678", "u3")
    assert codes(answer) == ["invalid_identifier"]
    assert await trait(company, "u3", "phone") == "12345"


async def test_t39_an_address_in_letters_of_its_language_is_the_same_in_punycode(company: Company) -> None:
    await company.send(identify("u1", email="ann@bücher.de"), track("a1", email="ann@xn--bcher-kva.de"))
    assert await company.people() == sets("u1 a1 ann@xn--bcher-kva.de")


async def test_t40_one_letter_or_two_signs_that_look_so_are_one_user(company: Company) -> None:
    await company.send(identify("caf\u00e9", "a1"), identify("cafe\u0301", "a2"))
    assert await company.people() == sets("caf\u00e9 a1 a2")


async def test_t41_the_case_of_a_user_id_matters(company: Company) -> None:
    await company.send(identify("User-1"), identify("user-1"))
    assert await company.people() == sets("User-1", "user-1")


async def test_t42_a_hashed_address_and_the_address_are_one(company: Company) -> None:
    hashed = {
        "externalIds": [
            {"id": sha256_of("ann@x.com"), "type": "email_sha256", "collection": "users", "encoding": "none"}
        ]
    }
    await company.send(identify("u1", email="ann@x.com"), track("a1", context=hashed))
    assert await company.people() == sets(f"u1 a1 ann@x.com {sha256_of('ann@x.com')}")


AS_SENT = """
query ($user: String!) {
  profile(by: { identifier: { namespace: "user_id", value: $user } }) {
    interactions { edges { node { identifiers { value } } } }
  }
}
"""


async def test_t43_signs_that_cannot_be_seen_do_not_part_a_user_and_too_long_ids_name_nobody(company: Company) -> None:
    _, _, answer = await company.send(identify("u\u200b1", "a1"), identify("\u202eu1", "a2"), identify("u" * 513, "a3"))
    assert await company.people() == sets("u1 a1 a2", "a3")
    (warning,) = answer["warnings"]
    assert (warning["code"], warning["place"]) == ("blocked_identifier", "userId")
    assert "longer than 512 bytes" in warning["message"]
    edges = (await company.ask(AS_SENT, user="u1"))["profile"]["interactions"]["edges"]
    sent = {each["value"] for edge in edges for each in edge["node"]["identifiers"]}
    assert sent == {"u\u200b1", "\u202eu1", "a1", "a2"}


# Conflict and re-identification


async def test_t50_two_user_ids_in_one_message_link_nothing_and_it_is_kept(company: Company) -> None:
    _, answer = await company.send(identify("u1", "a1"), track("a2", user="u1", traits={"user_id": "u2"}))
    assert codes(answer) == ["two_values_unique"]
    assert await company.people() == sets("u1 a1", "u2", "a2")
    assert sum(len(each.events) for each in await company.profiles()) == 2


async def test_t51_a_login_on_another_device_leaves_her_id_as_it_was(company: Company) -> None:
    await company.send(track("a1"), identify("u1", "a1"))
    before = (await company.person("u1")).id
    await company.send(identify("u1", "a2", traits={"name": "Ann"}))
    assert (await company.person("a2")).id == before


async def test_t52_the_better_source_wins_and_within_it_the_later_time(graph: Connection) -> None:
    ranked = replace(default_policy(), source_rank=("crm", "web"))
    names = {}
    for name, policy in (("last", default_policy()), ("ranked", ranked)):
        async with in_process(graph, policy=policy) as company:
            key = await create_key(graph.writer, Scope.WRITE, START, SourceName("crm"))
            crm = replace(company, write_key=key)
            await crm.send(identify("u1", traits={"name": "A"}, at=5))
            await company.send(identify("u1", traits={"name": "B"}, at=9))
            await crm.send(identify("u1", traits={"name": "C"}, at=7))
            names[name] = await trait(company, "u1")
        await empty(graph.writer)
    assert names == {"last": "B", "ranked": "C"}


async def test_t53_the_later_event_time_wins_null_deletes_and_nothing_is_stored_as_such(company: Company) -> None:
    await company.send(identify("u1", traits={"name": "late"}, at=9), identify("u1", traits={"name": "early"}, at=5))
    assert await trait(company, "u1") == "late"
    await company.send(identify("u1", traits={"name": None}, at=10))
    assert await trait(company, "u1") is None
    await company.send(identify("u1", traits={"name": ""}, at=11))
    assert await trait(company, "u1") == ""


# Duplicates and time


async def test_t63_a_message_id_counts_once_for_ever_and_another_payload_is_flagged(company: Company) -> None:
    first, again, later, other = await company.send(
        track("a1", id="m1"),
        track("a1", id="m1"),
        track("a1", id="m1", sentAt=moment(4_320)),
        track("a1", id="m1", name="Bought"),
    )
    assert [each["committed"] for each in (first, again, later, other)] == [1, 0, 0, 0]
    assert await company.events() == {"a1": ("Viewed",)}
    assert [again["repeat"], later["repeat"], other["repeat_differs"]] == [1, 1, 1]


@pytest.mark.parametrize("written", ["2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
async def test_t65_a_time_that_cannot_be_is_shown_as_the_receipt_and_kept_as_it_came(
    company: Company, graph: Connection, written: str
) -> None:
    said = {**track("a1", name="odd"), "timestamp": written}
    await company.send(said, message("identify", user="u1", on="a1", at=5))
    (row,) = await graph.reader.rows(
        "MATCH (i:Interaction {name: 'odd'}) RETURN i.at = i.received_at AS clamped, i.own_time AS raw"
    )
    assert row["clamped"]
    assert row["raw"] == micros(datetime.fromisoformat(written))
    assert await company.people() == sets("u1 a1")
