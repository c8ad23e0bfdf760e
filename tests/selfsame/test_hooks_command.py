"""`selfsame hooks`, as a person or a script meets it: each verb, and what it says to what cannot be."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from destinations.deliveries import Delivering
from graph.connection import Connection
from graph.endpoints import EndpointState, endpoints
from graph.feed import number_entries
from graph.owing import owe
from selfsame.cli.exits import Exit
from selfsame.clock import now
from tests.serving import Neo4jAddress
from tests.walks.processes import done, environment, here
from tests.walks.sending import identify
from tests.walks.service import in_process
from tests.walks.test_deliveries import receiver, told

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]


@pytest.fixture
def settings(graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path / "data", neo4j_server, SELFSAME_HOOKS_PRIVATE="true")


async def happened(graph: Connection) -> None:
    async with in_process(graph) as company:
        await company.send(identify("u1", "a1"))
    await number_entries(graph)
    while await owe(graph):
        pass


async def test_an_endpoint_is_added_tried_changed_held_and_forgotten(
    graph: Connection, settings: Mapping[str, str]
) -> None:
    with receiver(lambda number: 204 if number < 3 else 500) as (url, heard):
        secret = done(settings, "hooks", "add", url, "--topic", "profile.changed").strip()
        (line,) = done(settings, "hooks", "list").splitlines()
        id_ = line.split()[0]
        assert line.split() == [id_, "active", "profile.changed", url]
        assert done(settings, "hooks", "test", id_[:8]) == "taken: 204 No Content\n"
        other = done(settings, "hooks", "rotate", id_, "--days", "2").strip()
        done(settings, "hooks", "update", id_, "--topic", "profile.merged", "--url", f"{url}&y=2")
        done(settings, "hooks", "test", id_)
        failed = here(settings, "hooks", "test", id_)
    assert (failed.returncode, failed.stdout) == (Exit.WRONG, "not taken: 500 Internal Server Error\n")
    (first, body), (second, again) = heard[:2]
    assert Webhook(secret).verify(body, first)["type"] == "test"
    assert [Webhook(each).verify(again, second)["data"] for each in (secret, other)] == [{}, {}]
    assert (len(first["webhook-signature"].split()), len(second["webhook-signature"].split())) == (1, 2)
    done(settings, "hooks", "pause", id_)
    assert done(settings, "hooks", "list").split() == [id_, "paused", "profile.merged", f"{url}&y=2"]
    done(settings, "hooks", "resume", id_)
    assert [each.state for each in await endpoints(graph.reader)] == [EndpointState.ACTIVE]
    done(settings, "hooks", "remove", id_)
    assert (done(settings, "hooks", "list"), await endpoints(graph.reader)) == ("", ())


async def test_what_was_not_taken_is_listed_looked_at_and_sent_again(
    graph: Connection, settings: Mapping[str, str]
) -> None:
    with receiver(lambda number: 500 if number == 1 else 200) as (url, heard):
        done(settings, "hooks", "add", url, "--topic", "profile.changed")
        (endpoint,) = await endpoints(graph.reader)
        done(settings, "hooks", "pause", endpoint.id)
        await happened(graph)
        assert done(settings, "hooks", "deliveries", endpoint.id).endswith("  held\n")
        done(settings, "hooks", "resume", endpoint.id)
        await told(Delivering(graph, now, private=True))
        (line,) = done(settings, "hooks", "deliveries", endpoint.id, "--failed").splitlines()
        id_ = line.split()[0]
        assert "tried 1 times, 500 at last, again " in line
        assert "(takes nothing since " in done(settings, "hooks", "list")
        assert done(settings, "hooks", "recover", endpoint.id, "--since", "2100-01-01") == "0\n"
        assert done(settings, "hooks", "recover", endpoint.id, "--since", "2020-01-01") == "1\n"
        await told(Delivering(graph, now, private=True))
        assert done(settings, "hooks", "deliveries", endpoint.id, "--failed") == ""
        done(settings, "hooks", "resend", id_)
        await told(Delivering(graph, now, private=True))
        shown = done(settings, "hooks", "delivery", id_).splitlines()
        done(settings, "hooks", "pause", endpoint.id)
        assert "hooks resume" in here(settings, "hooks", "resend", id_).stderr
    assert [headers["webhook-id"] for headers, _ in heard] == [id_] * 3
    assert shown[0] == heard[0][1]
    assert [line.split("  ")[-1] for line in shown[1:]] == ["500", "200", "200", "taken"]


async def test_what_cannot_be_is_said_and_nothing_is_done(graph: Connection, settings: Mapping[str, str]) -> None:
    done(settings, "hooks", "add", "https://a.example")
    (kept,) = await endpoints(graph.reader)
    for arguments, sentence in (
        (("add", "ftp://a.example"), "it is no http or https URL with a host"),
        (("add", "https://a.example", "--topic", "nothing"), "'nothing' is not one of"),
        (("update", kept.id), "--url or --topic"),
        (("update", kept.id, "--url", "https://u:p@a.example"), "a user, a password or a fragment"),
        (("rotate", "nobody"), "no endpoint of that id: `nobody`"),
        (("rotate", kept.id, "--days", "31"), "--days"),
        (("resend", "msg_1"), "no delivery has the id `msg_1`"),
        (("delivery", "msg_1"), "no delivery has the id `msg_1`"),
        (("recover", kept.id), "--since"),
    ):
        ended = here(settings, "hooks", *arguments)
        assert (ended.returncode, sentence in ended.stderr) == (Exit.USAGE, True), (arguments, ended.stderr)
    assert await endpoints(graph.reader) == (replace(kept),)
