"""Builders in the words of the domain: messages as the stitching cases write them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import count
from pathlib import Path

from identity.evidence import Act, ActId, ActKind
from identity.identifiers import IdentifierKey
from identity.messages import AccountStatement, Authority, Json, Message, MessageKind, Sighting, SourceName, micros
from identity.policy import Policy
from identity.policy_text import policy_from_toml

START = datetime(2026, 1, 1, tzinfo=UTC)
RECEIVED = START + timedelta(days=200)
POLICIES = Path(__file__).resolve().parent.parent / "selfsame" / "policies"


def default_policy() -> Policy:
    """The policy that a new installation has."""
    return preset("default")


@cache
def preset(name: str) -> Policy:
    """A policy that comes with Selfsame."""
    return policy_from_toml(presets()[name], presets())


@cache
def presets() -> dict[str, str]:
    """The texts of all policies that come with Selfsame, by name."""
    return {each.stem: each.read_text(encoding="utf-8") for each in POLICIES.glob("*.toml")}


def after(minutes: float) -> datetime:
    """So many minutes after the start of all test histories."""
    return START + timedelta(minutes=minutes)


def message(
    kind: MessageKind,
    identifiers: Iterable[tuple[str, str]],
    *,
    at: float | datetime | None = 0.0,
    id: str | None = None,  # noqa: A002 -- the domain's word
    traits: dict[str, Json] | None = None,
    name: str | None = None,
    authority: Authority = Authority.CLAIMED,
    source: str = "web",
    previous: str | None = None,
    record: bool = False,
    region: str | None = None,
    account: AccountStatement | None = None,
) -> Message:
    """One message with raw identifiers. at: minutes after the start, a moment, or None for a missing one."""
    sightings = tuple(Sighting(namespace, value, namespace, authority, record) for namespace, value in identifiers)
    own = after(at) if isinstance(at, int | float) else at
    said = sha256(f"{kind}{sightings}{own}{traits}{name}{previous}{source}{account}".encode()).hexdigest()
    return Message(
        source=SourceName(source),
        message_id=id or said,
        kind=kind,
        received_at=RECEIVED,
        at=own if own is not None and START <= own <= RECEIVED else RECEIVED,
        own_time=own,
        sightings=sightings,
        digest=said,
        name=name,
        traits=traits or {},
        authority=authority,
        previous_id=previous,
        region=region,
        account=account,
    )


def identify(user: str | None = None, on: str | None = None, *, email: str | None = None, **more: object) -> Message:
    """i(u, a, e): somebody says who she is."""
    return message(MessageKind.IDENTIFY, _some(user, on, email), **more)  # type: ignore[arg-type] # handed through


def track(on: str | None = None, *, user: str | None = None, email: str | None = None, **more: object) -> Message:
    """t(a): something happened."""
    named = {"name": "Viewed", **more}
    return message(MessageKind.TRACK, _some(user, on, email), **named)  # type: ignore[arg-type] # handed through


def alias(previous: str, user: str | None = None, *, on: str | None = None, **more: object) -> Message:
    """al(previous -> user)."""
    ends = _some(user, on, None)
    return message(MessageKind.ALIAS, ends, previous=previous, **more)  # type: ignore[arg-type] # handed through


def merged(away: Iterable[tuple[str, str]], into: tuple[str, str], **more: object) -> Message:
    """A source's own record of a merge: what `away` named is named by `into`."""
    said = {"authority": Authority.IMPORTED, **more}
    told = message(MessageKind.IDENTIFY, [into, *away], **said)  # type: ignore[arg-type] # handed through
    sightings = tuple(replace(each, retired=(each.namespace, each.value) != into) for each in told.sightings)
    return replace(told, sightings=sightings)


def _some(user: str | None, on: str | None, email: str | None) -> list[tuple[str, str]]:
    pairs = (("user_id", user), ("anonymous_id", on), ("email", email))
    return [(namespace, value) for namespace, value in pairs if value is not None]


def act(kind: ActKind, a: str, b: str, *, at: float, id: str = "", undoes: str | None = None) -> Act:  # noqa: A002 -- the domain's word
    """A manual act about two keys. at: minutes after the start. undoes: the act that an undo takes back."""
    made = ActId(id or f"{kind}{a}{b}{at}")
    back = ActId(undoes) if undoes else None
    return Act(made, kind, IdentifierKey(a), IdentifierKey(b), micros(after(at)), undoes=back)


def minting() -> Iterator[str]:
    """m000000, m000001 …: ids in the order in which they are handed out."""
    return (f"m{number:06d}" for number in count())
