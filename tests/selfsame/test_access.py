import base64
from datetime import timedelta

import pytest

from graph.connection import Connection
from graph.keys import ApiKey, Scope, all_keys, hash_of
from graph.migrations import migrate
from identity.messages import SourceName
from selfsame import access
from selfsame.access import KEY_EXPIRED, KEY_MISSING, KEY_UNKNOWN, KeyRing, create_key, secret_in
from tests.building import START

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
WEB = SourceName("web")


def basic(user: str, password: str = "") -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
async def ring(graph: Connection) -> KeyRing:
    await migrate(graph.writer, START)
    return KeyRing(graph.reader, lambda: START)


def test_a_key_is_the_user_name_of_basic() -> None:
    assert secret_in(basic("ssw_1")) == "ssw_1"


def test_a_key_is_a_bearer_token() -> None:
    assert secret_in({"authorization": "Bearer ssr_1"}) == "ssr_1"


@pytest.mark.parametrize(
    "value", ["", "Basic", "Basic ???", "Basic /w==", "Bearer ", "Digest a", basic("")["authorization"]]
)
def test_a_header_without_a_key_has_none(value: str) -> None:
    assert secret_in({"authorization": value}) is None


async def test_a_key_that_was_made_is_known_with_scope_and_source(graph: Connection, ring: KeyRing) -> None:
    secret = await create_key(graph.writer, Scope.WRITE, START, WEB, "the shop")
    assert await ring.sender(secret) == ApiKey(hash_of(secret), Scope.WRITE, WEB, START, "the shop")


async def test_a_key_has_256_bits_and_is_stored_nowhere(graph: Connection, ring: KeyRing) -> None:
    secret = await create_key(graph.writer, Scope.READ, START)
    assert len(base64.urlsafe_b64decode(secret.removeprefix("ssr_") + "=")) == 32
    assert secret not in str(await all_keys(graph.reader))


async def test_a_key_that_nobody_made_is_unknown(ring: KeyRing) -> None:
    assert await ring.sender("ssw_never") is KEY_UNKNOWN


@pytest.mark.parametrize("secret", [None, ""])
async def test_no_key_is_said_to_be_missing(ring: KeyRing, secret: str | None) -> None:
    assert await ring.sender(secret) is KEY_MISSING


@pytest.mark.parametrize("made", [Scope.READ, Scope.STEWARD, Scope.ADMIN])
async def test_a_key_that_is_not_for_writing_sends_nothing(graph: Connection, ring: KeyRing, made: Scope) -> None:
    secret = await create_key(graph.writer, made, START)
    refused = await ring.sender(secret)
    assert (refused.status, refused.code) == (403, "key_scope")  # type: ignore[union-attr]  # a Refusal, else it fails


async def test_a_key_opens_nothing_from_the_moment_on_at_which_it_expires(graph: Connection) -> None:
    """Also one that is still remembered."""
    end, moments = START + timedelta(days=1), [START, START + timedelta(days=1)]
    ring = KeyRing(graph.reader, lambda: moments[0])
    secret = await create_key(graph.writer, Scope.WRITE, START, WEB, expires_at=end)
    found = await ring.sender(secret)
    assert isinstance(found, ApiKey)
    assert found.expires_at == end
    moments.pop(0)
    assert (await ring.sender(secret), await ring.known(secret)) == (KEY_EXPIRED, KEY_EXPIRED)


async def test_a_key_once_found_is_not_asked_for_again_at_once(graph: Connection, ring: KeyRing) -> None:
    secret = await create_key(graph.writer, Scope.READ, START)
    await ring.known(secret)
    await graph.writer.command("MATCH (key:ApiKey {hash: $hash}) DELETE key", hash=hash_of(secret))
    assert isinstance(await ring.known(secret), ApiKey)


async def test_after_a_few_seconds_it_is_asked_for_again(
    graph: Connection, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await create_key(graph.writer, Scope.READ, START)
    monkeypatch.setattr(access, "REMEMBERED_SECONDS", 0.0)
    await ring.known(secret)
    await graph.writer.command("MATCH (key:ApiKey {hash: $hash}) DELETE key", hash=hash_of(secret))
    assert await ring.known(secret) is KEY_UNKNOWN


async def test_what_is_remembered_stays_bounded(
    graph: Connection, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "REMEMBERED_KEYS", 2)
    for _ in range(5):
        await ring.known(await create_key(graph.writer, Scope.READ, START))
    assert len(ring.remembered) <= 2
