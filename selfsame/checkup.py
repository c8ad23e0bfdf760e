"""A check-up: what is configured, what is reachable, what is wrong. It changes nothing and starts nothing."""

import errno
import os
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from platform import python_version

from graph.connection import Reader, connected
from graph.endpoints import EndpointState, endpoints
from graph.erasure import unfinished
from graph.errors import ErasureKeyError, GraphError
from graph.fetches import waiting_fetches
from graph.health import stock_of, version_of
from graph.keys import all_keys
from graph.migrations import applied_migrations, missing, shipped
from graph.policies import PolicyHeld, State, versions_of
from graph.requests import OPEN, requests_in
from graph.server.artifacts import fetched
from graph.server.errors import ServerError
from graph.server.folders import DATA_REMEDY, ROOM_MB, cache_home, roomy, writable
from graph.server.jars import shipped_lock
from graph.server.local import running_server
from graph.server.owning import holder_of
from graph.tombstones import check_key
from identity.errors import PolicyInvalidError
from identity.policy_text import policy_from_toml
from selfsame.erasing import NONE_SET, present_hashing
from selfsame.errors import SettingsInvalidError
from selfsame.reach import Address
from selfsame.ruling import unlike_configured
from selfsame.settings import CONFIG, PREFIX, Settings, configured_policy, policy_file, unknown_variables

MOST_COUNTED = 10_000


class Mark(StrEnum):
    """How a finding is meant: all is well, worth knowing, wrong."""

    GOOD = "✓"
    NOTE = "·"
    WRONG = "✗"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    mark: Mark
    about: str
    sentence: str


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """Everything that can be looked at, one after the other; an error of one is its finding."""
    for each in (*_configured(settings), *_policy(settings), *_machine(settings)):
        yield each
    address = _address(settings)
    if isinstance(address, Finding):
        yield address
        return
    async for each in _database(address, settings):
        yield each


def configured(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Every setting: its variable, its value (no secret is shown), and where it comes from."""
    for name in type(settings).model_fields:
        variable = PREFIX + name.upper()
        value = getattr(settings, name)
        origin = "environment" if os.environ.get(variable) else "default"
        if origin == "default" and name in settings.model_fields_set:
            origin = os.environ.get(CONFIG, "")
        yield variable, "unset" if value is None else str(value), origin


def _configured(settings: Settings) -> Iterator[Finding]:
    yield Finding(Mark.GOOD, "Python", f"{python_version()} at {sys.executable}")
    for name in unknown_variables():
        yield Finding(Mark.WRONG, "environment", f"{name} means nothing to Selfsame; docs/settings.md has the names")
    if not settings.neo4j_uri:
        return
    if not settings.neo4j_password.get_secret_value():
        yield Finding(Mark.NOTE, "Neo4j", "SELFSAME_NEO4J_PASSWORD is not set")


def _policy(settings: Settings) -> Iterator[Finding]:
    try:
        policy = configured_policy(settings)
        yield Finding(Mark.GOOD, "policy", f"{policy.version}, {policy_file(settings)}")
    except (SettingsInvalidError, PolicyInvalidError) as error:
        yield Finding(Mark.WRONG, "policy", str(error))


def _machine(settings: Settings) -> Iterator[Finding]:
    yield _port(settings)
    if settings.neo4j_uri:
        return
    yield _folder(settings.data_dir)
    there = fetched(cache_home(), shipped_lock())
    yield Finding(
        Mark.GOOD if there else Mark.NOTE,
        "Neo4j's jars",
        f"in {cache_home()}" if there else f"not fetched yet; the first start fetches them into {cache_home()}",
    )


def _port(settings: Settings) -> Finding:
    where = f"{settings.host}:{settings.port}"
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        with socket.create_server((settings.host, settings.port), family=family):
            return Finding(Mark.GOOD, "address", f"{where} is free for the service")
    except OSError as error:
        holder = holder_of(settings.data_dir)
        if error.errno == errno.EADDRINUSE and holder is not None:
            return Finding(Mark.GOOD, "address", f"{where} is in use; process {holder.pid} runs on this data directory")
        return Finding(
            Mark.WRONG, "address", f"{where} cannot be listened on ({os.strerror(error.errno or 0)}); set SELFSAME_PORT"
        )


def _folder(folder: Path) -> Finding:
    existing = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    try:
        roomy(writable(existing, DATA_REMEDY), ROOM_MB, DATA_REMEDY)
        return Finding(Mark.GOOD, "data", f"{folder} can be written and has room")
    except ServerError as error:
        return Finding(Mark.WRONG, "data", str(error))


def _address(settings: Settings) -> Address | Finding:
    if settings.neo4j_uri:
        return Address(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password.get_secret_value())
    running = running_server(settings.data_dir)
    if running is not None:
        return Address(running.uri, running.user, running.password)
    return Finding(Mark.NOTE, "Neo4j", "the local one does not run; a command that needs it starts it")


async def _database(address: Address, settings: Settings) -> AsyncIterator[Finding]:
    try:
        async with connected(address.uri, address.user, address.password, settings.neo4j_database) as connection:
            yield Finding(Mark.GOOD, "Neo4j", f"{await version_of(connection.reader)} at {address.uri}")
            yield await _schema(connection.reader)
            async for each in _versions(connection.reader, settings):
                yield each
            yield await _erasures(connection.reader, settings)
            if many := await unfinished(connection):
                sentence = f"{many} are under way or were interrupted; the service finishes them"
                yield Finding(Mark.NOTE, "erasures", sentence)
            if many := len(await requests_in(connection.reader, OPEN, MOST_COUNTED)):
                sentence = f"{many} requests to erase or hand out somebody's data are open; `selfsame requests list`"
                yield Finding(Mark.NOTE, "requests", sentence)
            if many := await waiting_fetches(connection.reader):
                yield Finding(Mark.NOTE, "webhooks", f"{many} records wait for what their vendor has to tell of them")
            async for finding in _hooks(connection.reader):
                yield finding
            async for each in _stock(connection.reader):
                yield each
    except GraphError as error:
        yield Finding(Mark.WRONG, "Neo4j", str(error))


async def _erasures(reader: Reader, settings: Settings) -> Finding:
    try:
        hashing = present_hashing(settings)
        await check_key(reader, hashing)
    except ErasureKeyError as error:
        return Finding(Mark.WRONG, "erasures", str(error))
    if hashing is None and settings.neo4j_uri:
        return Finding(Mark.NOTE, "erasures", NONE_SET)
    return Finding(Mark.GOOD, "erasures", "what is erased is known again by its key")


async def _hooks(reader: Reader) -> AsyncIterator[Finding]:
    for each in await endpoints(reader):
        if each.state is EndpointState.DISABLED:
            sentence = f"{each.id} is told nothing any more ({each.reason}): `selfsame hooks resume {each.id}` goes on"
            yield Finding(Mark.NOTE, "webhooks out", sentence)


async def _schema(reader: Reader) -> Finding:
    todo = missing(shipped(), await applied_migrations(reader))
    if todo:
        return Finding(Mark.NOTE, "schema", f"{len(todo)} migrations to come; the next start applies them")
    return Finding(Mark.GOOD, "schema", f"as this version needs it, {len(shipped())} migrations")


async def _versions(reader: Reader, settings: Settings) -> AsyncIterator[Finding]:
    """Which version of the policy is in force, whether the configured one is another, whether one is half applied."""
    versions = await versions_of(reader)
    for each in versions:
        if each.state is State.APPLYING:
            sentence = (
                f"version {each.number}, by {each.by}, is not wholly applied: a running service finishes it, or "
                f"`selfsame policy apply --resume`{'' if each.report else ' or --abandon'}"
            )
            yield Finding(Mark.WRONG, "policy", sentence)
    for each in versions:
        if each.state is State.IN_FORCE:
            try:
                held = PolicyHeld(policy_from_toml(each.text), each.number)
                unlike = unlike_configured(settings, held)
            except (SettingsInvalidError, PolicyInvalidError) as error:
                yield Finding(Mark.WRONG, "policy", f"version {each.number}: {error}")
                continue
            sentence = unlike or f"version {each.number} is in force, as configured"
            yield Finding(Mark.NOTE if unlike else Mark.GOOD, "policy", sentence)


async def _stock(reader: Reader) -> AsyncIterator[Finding]:
    stock = await stock_of(reader)
    held = f"{stock.identifiers:,} identifiers, {stock.profiles:,} profiles, {stock.interactions:,} interactions"
    yield Finding(Mark.GOOD, "graph", held)
    if stock.pending:
        sentence = f"{stock.pending:,} identifiers wait for a background recompute; the service or `verify` does it"
        yield Finding(Mark.NOTE, "graph", sentence)
    keys = Counter(each.scope.value for each in await all_keys(reader))
    told = ", ".join(f"{many} of scope {scope}" for scope, many in sorted(keys.items()))
    yield Finding(Mark.GOOD if keys else Mark.NOTE, "keys", told or "none; `selfsame keys create` makes one")
