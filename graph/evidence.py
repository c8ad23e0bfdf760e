"""The links that a batch states, aggregated with those that are stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graph.connection import Transaction
from graph.links import (
    WRITE_LINKS,
    StoredLink,
    facts_of,
    links_between,
    new_row,
    verdict_facts,
    with_step,
)
from graph.regions import Change
from identity.evidence import Link, LinkId, Reason, derived_link, joined, matters, sha256_of
from identity.identifiers import IdentifierKey, namespace_of

# identifier_key (unique); identifier_sha256 (range). Seeking a unique key in a statement that writes locks its place in
# the index even where nobody has it: a hash that is made at the same time waits for its address, or the address for it.
HASH_PARTNERS = """
CALL () {
  UNWIND $addresses AS address
  MATCH (i:Identifier {key: address.digest})
  USING INDEX SEEK i:Identifier(key)
  SET i.touched = $now
  RETURN address.key AS email, i.key AS digest
  UNION
  UNWIND $digests AS each
  MATCH (i:ContactPoint {sha256: each.value})
  USING INDEX SEEK i:ContactPoint(sha256)
  RETURN i.key AS email, each.key AS digest
}
RETURN email, digest
"""


@dataclass(slots=True)
class LinkWriting:
    """What is to be written of the links, once stitching has judged the new ones."""

    new: dict[LinkId, Link] = field(default_factory=dict)
    repeated: dict[LinkId, tuple[Link, StoredLink]] = field(default_factory=dict)

    async def write(self, tx: Transaction, verdicts: Mapping[LinkId, Reason | None], now: int) -> None:
        """Create the new links with their verdicts, and bring the repeated ones up to date. now: µs."""
        rows = [new_row(link, _verdict(id_, verdicts), now) for id_, link in self.new.items()]
        changed = [
            {"element": old.element, "facts": {**_repeated(link, old, now), **_verdict(id_, verdicts)}}
            for id_, (link, old) in self.repeated.items()
        ]
        if rows or changed:
            await tx.rows(WRITE_LINKS, new=rows, changed=changed)


def _verdict(link: LinkId, verdicts: Mapping[LinkId, Reason | None]) -> dict[str, object]:
    """The new verdict on a link as properties; none where it has not changed."""
    return verdict_facts(verdicts[link]) if link in verdicts else {}


def _repeated(link: Link, old: StoredLink, now: int) -> dict[str, object]:
    steps = with_step(old.steps, link, now) if matters(old.link, link) else old.steps
    return facts_of(link, steps)


async def record_links(tx: Transaction, said: Iterable[Link], change: Change, now: int) -> LinkWriting:
    """Aggregate what was said with what is stored, and note in the change what stitching must look at.

    The links themselves are written by the answer's `write`. now: µs, only a lock's value.
    """
    together: dict[LinkId, Link] = {}
    for link in (*said, *await _derived(tx, change, now)):
        together[link.id] = joined(together[link.id], link) if link.id in together else link
    pairs = {(id_.a, id_.b) for id_ in together if id_.a not in change.new and id_.b not in change.new}
    stored = await links_between(tx, sorted(pairs)) if pairs else {}
    change.said |= together.keys()
    writing = LinkWriting()
    for id_, link in together.items():
        _take(writing, change, link, stored.get(id_))
    return writing


def _take(writing: LinkWriting, change: Change, link: Link, old: StoredLink | None) -> None:
    now = link if old is None else joined(old.link, link)
    if old is None:
        writing.new[link.id] = now
    else:
        writing.repeated[link.id] = (now, old)
    if old is None or not old.judged or matters(old.link, now):
        change.links[link.id] = now
        change.ends |= {link.a, link.b}


async def _derived(tx: Transaction, change: Change, now: int) -> list[Link]:
    """The links between addresses and hashes that the new identifiers complete, whichever came second."""
    emails = [key for key in change.new if namespace_of(key) == "email"]
    digests = [key for key in change.new if namespace_of(key) == "email_sha256"]
    if not emails and not digests:
        return []
    addresses = [{"key": key, "digest": f"email_sha256:{sha256_of(_value(key))}"} for key in emails]
    rows = await tx.rows(
        HASH_PARTNERS, addresses=addresses, digests=[{"key": key, "value": _value(key)} for key in digests], now=now
    )
    return [derived_link(IdentifierKey(row["email"]), IdentifierKey(row["digest"])) for row in rows]


def _value(key: IdentifierKey) -> str:
    return key.partition(":")[2]
