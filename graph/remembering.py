"""What is remembered of a decision to answer it again: ids and mints, never a value.

Identifiers are kept by their mints and read back by them; the people are answered as they are when they are read.
"""

from collections.abc import Mapping, Sequence

import msgspec

from graph.connection import Statements, Transaction
from graph.decisions import Outcome
from graph.erasure import Outcome as Erased
from graph.people import people_in
from identity.evidence import Kind, LinkId, Reason
from identity.identifiers import IdentifierKey, ProfileId


class _Link(msgspec.Struct, array_like=True):
    """a, b: places in the list of mints."""

    a: int
    b: int
    kind: int
    reason: str | None


class _Decided(msgspec.Struct):
    decision: str
    mints: list[str]
    before: dict[str, list[int]]
    after: list[str]
    links: list[_Link]


# identifier_key (unique)
MINTS = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
RETURN key, i.mint AS mint
"""

# identifier_mint (unique)
KEYS = """
UNWIND $mints AS mint
MATCH (i:Identifier {mint: mint})
USING INDEX SEEK i:Identifier(mint)
RETURN mint, i.key AS key
"""


async def decision_remembered(tx: Transaction, decided: Outcome) -> str:
    """What is kept of a decision. One statement."""
    links: list[tuple[LinkId, Reason | None]] = [*decided.refused.items(), *((each, None) for each in decided.accepted)]
    keys = {key for keys in decided.before.values() for key in keys} | {
        end for id_, _ in links for end in (id_.a, id_.b)
    }
    rows = await tx.rows(MINTS, keys=sorted(keys))
    place = {row["key"]: number for number, row in enumerate(rows)}
    kept = _Decided(
        decided.decision,
        [row["mint"] for row in rows],
        {id_: [place[key] for key in keys if key in place] for id_, keys in decided.before.items()},
        [each.id for each in decided.after],
        [
            _Link(place[id_.a], place[id_.b], id_.kind.value, why.value if why else None)
            for id_, why in links
            if id_.a in place and id_.b in place
        ],
    )
    return msgspec.json.encode(kept).decode()


async def decision_recalled(graph: Statements, outcome: str) -> Outcome:
    """The decision that was remembered, and the people that it made as they are now; who was erased is not told of."""
    kept = msgspec.json.decode(outcome, type=_Decided)
    found = {row["mint"]: IdentifierKey(row["key"]) for row in await graph.rows(KEYS, mints=kept.mints)}
    keys = [found.get(mint) for mint in kept.mints]
    links = [(_link(each, keys), each.reason) for each in kept.links]
    return Outcome(
        decision=kept.decision,
        before=_before(kept, keys),
        after=await people_in(graph, [ProfileId(each) for each in kept.after]),
        refused={id_: Reason(why) for id_, why in links if id_ and why},
        accepted=tuple(id_ for id_, why in links if id_ and why is None),
    )


def _before(kept: _Decided, keys: Sequence[IdentifierKey | None]) -> Mapping[ProfileId, tuple[IdentifierKey, ...]]:
    named = {ProfileId(id_): [keys[place] for place in places] for id_, places in kept.before.items()}
    return {id_: tuple(key for key in found if key is not None) for id_, found in named.items()}


def _link(link: _Link, keys: Sequence[IdentifierKey | None]) -> LinkId | None:
    a, b = keys[link.a], keys[link.b]
    return LinkId(a, b, Kind(link.kind)) if a is not None and b is not None else None


class _Erased(msgspec.Struct):
    mints: list[str]
    profiles: list[str]
    counts: tuple[int, int, int, int]
    after: list[str]
    pending: bool
    policies: list[int]


def erasure_remembered(erased: Erased) -> str:
    """What is kept of an erasure: how much went, under which ids."""
    kept = _Erased(
        [mint for _, mint in erased.identifiers],
        list(erased.profiles),
        (erased.interactions, erased.observations, erased.acts, erased.scrubbed),
        [each.id for each in erased.after],
        erased.pending,
        list(erased.policies),
    )
    return msgspec.json.encode(kept).decode()


async def erasure_recalled(graph: Statements, outcome: str) -> Erased:
    """The erasure that was remembered; its identifiers have their mints alone."""
    kept = msgspec.json.decode(outcome, type=_Erased)
    interactions, observations, acts, scrubbed = kept.counts
    return Erased(
        identifiers=tuple((IdentifierKey(""), mint) for mint in kept.mints),
        profiles=tuple(map(ProfileId, kept.profiles)),
        interactions=interactions,
        observations=observations,
        acts=acts,
        scrubbed=scrubbed,
        after=await people_in(graph, [ProfileId(each) for each in kept.after]),
        pending=kept.pending,
        policies=tuple(kept.policies),
    )
