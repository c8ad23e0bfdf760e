import base64
from datetime import timedelta

import pytest

from graph.connection import Connection
from graph.keys import ApiKey, Scope, all_keys, hash_of, revoke_key
from graph.migrations import migrate
from identity.messages import SourceName
from selfsame import access
from selfsame.access import (
    KEY_EXPIRED,
    KEY_MISSING,
    KEY_REVOKED,
    KEY_UNKNOWN,
    KeyRing,
    secret_in,
)
from selfsame.keys import Terms, create_key, renew_key
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


async def test_of_a_key_that_is_rotated_both_work_until_the_time_is_over(graph: Connection) -> None:
    moments = [START]
    ring = KeyRing(graph.reader, lambda: moments[0])
    secret = await create_key(graph.writer, Scope.READ, START, label="the app", terms=Terms(pii=True))
    old = await ring.known(secret)
    assert isinstance(old, ApiKey)
    ring.remembered.clear()
    new = await renew_key(graph.writer, old, START, timedelta(days=7))
    found = [await ring.known(each) for each in (secret, new)]
    assert [(each.label, each.pii) for each in found if isinstance(each, ApiKey)] == [("the app", True)] * 2
    moments[0] += timedelta(days=7)
    assert await ring.known(secret) is KEY_EXPIRED
    assert isinstance(await ring.known(new), ApiKey)


async def test_a_rotation_does_not_put_off_an_end(graph: Connection, ring: KeyRing) -> None:
    end = START + timedelta(days=1)
    secret = await create_key(graph.writer, Scope.READ, START, expires_at=end)
    old = await ring.known(secret)
    assert isinstance(old, ApiKey)
    await renew_key(graph.writer, old, START, timedelta(days=7))
    ring.remembered.clear()
    assert (await ring.known(secret)).expires_at == end  # type: ignore[union-attr]  # a key, else it fails


async def test_a_key_that_was_taken_back_opens_nothing_once_it_is_asked_for_again(
    graph: Connection, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert access.REMEMBERED_SECONDS < 5
    monkeypatch.setattr(access, "REMEMBERED_SECONDS", 0.0)
    secret = await create_key(graph.writer, Scope.WRITE, START, WEB)
    assert isinstance(await ring.sender(secret), ApiKey)
    for later in (1, 2):
        await revoke_key(graph.writer, hash_of(secret), START + timedelta(days=later))
    assert (await ring.sender(secret), await ring.known(secret)) == (KEY_REVOKED, KEY_REVOKED)
    (key,) = [each for each in await all_keys(graph.reader) if each.hash == hash_of(secret)]
    assert key.revoked_at == START + timedelta(days=1)


async def test_when_keys_were_used_is_noted_for_all_of_them_at_once(graph: Connection, ring: KeyRing) -> None:
    made = [await create_key(graph.writer, Scope.READ, START) for _ in range(3)]
    for secret in made[:2] * 2:
        await ring.known(secret)
    assert len(ring.used) == 2
    await ring.note(graph.writer)
    assert ring.used == {}
    used = {each.hash: each.used_at for each in await all_keys(graph.reader)}
    assert [used[hash_of(each)] for each in made] == [START, START, None]


async def test_a_key_that_was_made_before_keys_said_so_sees_what_it_could(graph: Connection, ring: KeyRing) -> None:
    secret = await create_key(graph.writer, Scope.READ, START)
    assert (await ring.known(secret)).pii is False  # type: ignore[union-attr]  # a key, else it fails
    await graph.writer.command("MATCH (key:ApiKey {hash: $hash}) REMOVE key.pii", hash=hash_of(secret))
    ring.remembered.clear()
    assert (await ring.known(secret)).pii is True  # type: ignore[union-attr]  # a key, else it fails
