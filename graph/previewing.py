"""What messages would make of people: the very transaction that commits them, asked before and after, rolled back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from graph.connection import Row, Transaction, Writer
from graph.ingestion import Mint, commit_in
from graph.locks import tried
from graph.namespaces import declare_in
from graph.policies import PolicyHeld, begin
from identity.erasure import Hashing
from identity.evidence import hear
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import Message, micros
from identity.policy import Namespace, Policy

AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of people whom messages name.

    before, after: how many of them there are; shared identifiers are nobody and count as none. merged: for each person
    who would be made of several the ids that these have now, and her identifiers then. parted: for each who would be
    several the id that she has now, and into how many.
    """

    before: int = 0
    after: int = 0
    merged: tuple[tuple[tuple[ProfileId, ...], tuple[IdentifierKey, ...]], ...] = ()
    parted: tuple[tuple[ProfileId, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """What a preview needs besides the messages. namespaces: that their source declares; hashing: knows the erased."""

    source: str
    namespaces: Sequence[Namespace]
    held: PolicyHeld
    mint: Mint
    now: datetime
    hashing: Hashing | None = field(default=None)


# identifier_key (unique), then an expand to the profile and one to its identifiers
PEOPLE_OF = """
UNWIND $keys AS key
MATCH (anchor:Identifier {key: key})-[:IDENTIFIES]->(p:Profile)
USING INDEX SEEK anchor:Identifier(key)
WITH DISTINCT p
WHERE NOT coalesce(p.shared, false)
MATCH (p)<-[:IDENTIFIES]-(i:Identifier)
RETURN p.id AS id, collect(i.key) AS keys
"""


async def preview(writer: Writer, messages: Sequence[Message], trial: Trial) -> Preview:
    """What committing these messages would change of who is who; nothing is written.

    All of it is one transaction, which holds the locks on whom the messages name until it is rolled back; so ask of
    some thousands at a time. Raises what `commit_batch` and `declare` raise.
    """

    async def work(tx: Transaction) -> Preview:
        await declare_in(tx, trial.namespaces, trial.source)
        policy = (await begin(tx, trial.held)).policy
        named = _named(messages, policy)
        before = _people(await tx.rows(PEOPLE_OF, keys=sorted(named)))
        for start in range(0, len(messages), AT_ONCE):
            some = messages[start : start + AT_ONCE]
            await commit_in(tx, some, trial.held, trial.mint, micros(trial.now), trial.hashing)
        concerned = named.union(*before.values())
        return _compared(before, _people(await tx.rows(PEOPLE_OF, keys=sorted(concerned))))

    return await tried(writer, work, keep=lambda _: False)


def _named(messages: Iterable[Message], policy: Policy) -> set[IdentifierKey]:
    return {each.key for message in messages for each in hear(message, policy).identifiers}


def _people(rows: Iterable[Row]) -> dict[ProfileId, frozenset[IdentifierKey]]:
    return {ProfileId(row["id"]): frozenset(map(IdentifierKey, row["keys"])) for row in rows}


def _compared(
    before: Mapping[ProfileId, frozenset[IdentifierKey]], after: Mapping[ProfileId, frozenset[IdentifierKey]]
) -> Preview:
    was = {key: id_ for id_, keys in before.items() for key in keys}
    merged: list[tuple[tuple[ProfileId, ...], tuple[IdentifierKey, ...]]] = []
    pieces: dict[ProfileId, int] = {}
    for keys in after.values():
        made_of = sorted({was[key] for key in keys if key in was})
        if len(made_of) > 1:
            merged.append((tuple(made_of), tuple(sorted(keys))))
        for id_ in made_of:
            pieces[id_] = pieces.get(id_, 0) + 1
    parted = sorted((id_, many) for id_, many in pieces.items() if many > 1)
    return Preview(len(before), len(after), tuple(sorted(merged)), tuple(parted))
