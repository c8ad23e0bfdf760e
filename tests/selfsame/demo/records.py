"""Fernhill's files as Messages and as stitched people, by the plainest means: what a mapping would make of them."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from itertools import count

from identity.evidence import AliasSaid, Link, LinkId, hear, joined, resolved
from identity.identifiers import Blocked, IdentifierKey, normalise
from identity.messages import Authority, Json, Message, MessageKind
from identity.policy import Namespace, Policy, Role
from identity.stitching import Evidence, Known, Stitching, stitch
from selfsame.demo.fernhill import Company, crm_files, fernhill, till_files, web_calls
from selfsame.demo.web import segment_message
from tests.building import default_policy, message

WEB_PLACES = {
    "user_id": ("userId",),
    "anonymous_id": ("anonymousId",),
    "device_id": ("context", "device", "id"),
    "email": ("traits", "email"),
    "phone": ("traits", "phone"),
}


@cache
def company() -> Company:
    return fernhill()


def json_lines(text: str) -> list[dict[str, Json]]:
    return [json.loads(line) for line in text.splitlines()]


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def policy() -> Policy:
    contact = Namespace(name="crm_contact", role=Role.CONTACT, priority=1, unique=True, max_partners=None)
    return default_policy().with_namespaces([contact])


def web_messages(authority: Authority) -> Iterator[Message]:
    for call in web_calls(company()):
        said = json.loads(json.dumps(segment_message(call)))
        pairs = [(name, value) for name, path in WEB_PLACES.items() if (value := _at(said, path)) is not None]
        guest = _at(said, ("properties", "email"))
        yield message(
            MessageKind(call.kind),
            pairs + ([("email", guest)] if guest else []),
            at=datetime.fromisoformat(str(said["timestamp"])),
            id=str(said["messageId"]),
            previous=_at(said, ("previousId",)),
            authority=authority,
        )


def _at(said: Json, path: tuple[str, ...]) -> str | None:
    for name in path:
        said = said.get(name) if isinstance(said, dict) else None
    return said if isinstance(said, str) else None


def crm_messages() -> Iterator[Message]:
    for row in csv_rows(crm_files(company())["contacts.csv"]):
        pairs = [("crm_contact", row["contact_id"]), ("email", row["email"]), ("phone", row["phone"])]
        yield _imported(pairs, row["updated_at"], "crm")


def till_messages() -> Iterator[Message]:
    files = till_files(company())
    for row in json_lines(files["receipts.jsonl"]):
        yield _imported(list(dict(row["customer"] or {}).items()), str(row["at"]), "till")  # type: ignore[arg-type] # JSON
    for row in json_lines(files["orders.jsonl"]):
        pairs = [("email", str(row["email"] or "")), ("phone", str(row["phone"] or ""))]
        yield _imported(pairs, str(row["placed_at"]), "orders")


def _imported(pairs: Iterable[tuple[str, str]], at: str, source: str) -> Message:
    given = [pair for pair in pairs if pair[1]]
    when = datetime.fromisoformat(at)
    return message(MessageKind.TRACK, given, at=when, authority=Authority.IMPORTED, source=source, region="GB")


@cache
def all_messages(authority: Authority) -> tuple[Message, ...]:
    return (*web_messages(authority), *crm_messages(), *till_messages())


@cache
def stitched(authority: Authority) -> Stitching:
    identifiers: dict[IdentifierKey, Known] = {}
    links: dict[LinkId, Link] = {}
    aliases: list[AliasSaid] = []
    mints = count()
    for each in all_messages(authority):
        heard = hear(each, policy())
        for one in heard.identifiers:
            identifiers.setdefault(one.key, Known(one.key, f"m{next(mints):06d}", len(identifiers)))
        aliases += heard.aliases
        for link in heard.links:
            links[link.id] = joined(links[link.id], link) if link.id in links else link
    for alias in (resolved(said, identifiers.keys()) for said in aliases):
        if alias is not None:
            links[alias.id] = alias
    return stitch(Evidence(identifiers, tuple(links.values())), policy())


def key(named: tuple[str, str]) -> IdentifierKey:
    read = normalise(*named, policy())
    assert not isinstance(read, Blocked), named
    assert read.value == named[1], "the truth is written in normalised form"
    return read.key
