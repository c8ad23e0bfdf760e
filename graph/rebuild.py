"""Is what is stored what follows from the evidence? `verify` says where it is not, `rebuild` writes what follows.

Both recompute everything by the global rule, which shares no state with the incremental one that keeps the views up;
`rebuild` by the rule on columns, `verify` by the rule as it is told, so that it checks both.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from graph.account_decisions import name_accounts
from graph.audit import Cause, Move, Moves, log_stitched
from graph.connection import Reader, Transaction, Writer
from graph.contact_use import refresh_contact_use
from graph.device_use import computed_uses, refresh_uses, spans_of, uses_text
from graph.evidence_reading import Stored, stored_state
from graph.found_by import Ends, lost_memberships, lost_uses, say_memberships
from graph.links import CHANGE_LINKS, DELETE_LINKS, WRITE_LINKS, new_row, verdict_facts
from graph.memberships import judge_parents, part_verdict
from graph.namespaces import declared_namespaces
from graph.pending import DONE
from graph.stitcher import SET_GENERIC, drop_profiles, place
from graph.views import refresh_moments, refresh_traits, share, shown_traits
from identity.accounts import cycles, heads_of
from identity.contact_use import spans_by_time, told_by_time
from identity.device_use import Use
from identity.evidence import Kind, Link, LinkId, Reason
from identity.identifiers import IdentifierKey, ProfileId
from identity.policy import Policy
from identity.recomputing import Columns, recompute
from identity.stitching import Cluster, Evidence, Generic, Stitching, cluster_of, standing_of, stitch, with_manual

T = TypeVar("T")
CHUNK = 1_000
DEVICES_AT_ONCE = 200

Sharing = tuple[IdentifierKey, ProfileId]
Rule = Callable[[Evidence, Policy], Stitching]

# identifier_key and profile_id (unique)
STOP_SHARING_WITH = """
UNWIND $rows AS row
MATCH (i:Identifier {key: row.key})
USING INDEX SEEK i:Identifier(key)
MATCH (p:Profile {id: row.profile})
USING INDEX SEEK p:Profile(id)
MATCH (i)-[s:SHARED_BY]->(p)
DELETE s
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the stored view is not what follows from the evidence. what: a stable word."""

    what: str
    subject: str
    stored: str
    expected: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What follows from the evidence. uses: of shared devices; sharing: first, last and spans; heads: of accounts."""

    stitching: Stitching
    profile_of: Mapping[IdentifierKey, ProfileId]
    traits: Mapping[ProfileId, Mapping[str, object]]
    uses: Mapping[IdentifierKey, Sequence[Use]]
    sharing: Mapping[Sharing, tuple[int, int, list[int] | None]]
    manual: Mapping[LinkId, Link]
    cycles: frozenset[tuple[str, str]]
    heads: Mapping[str, str]


async def verify(reader: Reader, policy: Policy) -> tuple[Difference, ...]:
    """All differences between the stored view and the recomputed one; none is what everybody hopes for.

    Regions that wait for a background recompute are differences: drain them first (graph.pending). Messages that are
    committed meanwhile can look like differences, so a first finding is asked again and only what stands is told.
    Cost: 19 s and 185 MB for 75,000 links of 54,000 identifiers on two busy cores, so about 25 s for 100,000 links.
    """
    found = await _differences(reader, policy)
    again = set(await _differences(reader, policy)) if found else set()
    return tuple(each for each in found if each in again)


async def _differences(reader: Reader, policy: Policy) -> list[Difference]:
    policy = policy.with_namespaces(await declared_namespaces(reader))
    stored = await stored_state(reader, policy)
    expected = await expected_state(reader, stored, policy)
    return [
        *_of_people(stored, expected),
        *_of_flags(stored, expected),
        *_of_profiles(stored, expected),
        *_of_sharing(stored, expected),
        *_of_accounts(stored, expected),
        *(_lost(each) for each in (*await lost_memberships(reader), *await lost_uses(reader))),
    ]


def _lost(ends: Ends) -> Difference:
    return Difference("found by", " of ".join(ends), "by nothing", "by an index")


async def expected_state(reader: Reader, stored: Stored, policy: Policy, rule: Rule = stitch) -> Expected:
    """Everything that follows from the evidence. rule: how all of it is stitched, by default the rule as it is told."""
    known = {key: each.known for key, each in stored.identifiers.items()}
    links = tuple(each.link for id_, each in stored.links.items() if id_.kind is not Kind.MANUAL)
    stitching = rule(Evidence(known, links, stored.acts), policy)
    profile_of = {key: each.id for each in stitching.clusters.values() for key in each.members}
    shared = sorted(key for key in stitching.generic if key in stored.devices)
    uses = await _uses(reader, shared, policy, frozenset(stitching.generic))
    heads = heads_of(stored.account_acts)
    return Expected(
        stitching=stitching,
        profile_of=profile_of,
        traits=_traits(stored, stitching, policy),
        uses=uses,
        sharing=_sharing(stored, stitching, profile_of, uses, policy),
        manual={link.id: link for link in with_manual((), standing_of(stored.acts), known)},
        cycles=cycles((each.statement for each in stored.parts), heads),
        heads=heads,
    )


def by_columns(evidence: Evidence, policy: Policy) -> Stitching:
    """What `stitch` answers, by the quicker rule on columns; who checks what is stored asks the plain one."""
    columns = Columns()
    for known in evidence.identifiers.values():
        columns.add_identifier(known)
    for link in evidence.links:
        columns.add_link(link.id, link.authority, link.first_seen, sure=link.sure)
    found = recompute(columns, evidence.acts, policy)
    members: defaultdict[int, list[IdentifierKey]] = defaultdict(list)
    for key, part in zip(columns.keys, found.parts, strict=True):
        members[part].append(key)
    generic = {columns.keys[number]: why for number, why in found.generic.items()}
    clusters = [cluster_of(sorted(some), evidence.identifiers, generic, policy) for some in members.values()]
    refused = {evidence.links[number].id: why for number, why in found.refused.items()}
    return Stitching({each.id: each for each in clusters}, {**refused, **found.manual}, generic)


async def _uses(
    reader: Reader, devices: Sequence[IdentifierKey], policy: Policy, generic: frozenset[IdentifierKey]
) -> dict[IdentifierKey, Sequence[Use]]:
    uses: dict[IdentifierKey, Sequence[Use]] = {}
    for start in range(0, len(devices), DEVICES_AT_ONCE):
        uses |= await computed_uses(reader, devices[start : start + DEVICES_AT_ONCE], policy, generic)
    return uses


def _traits(stored: Stored, stitching: Stitching, policy: Policy) -> dict[ProfileId, dict[str, object]]:
    return {
        id_: dict(shown_traits((one for key in each.members for one in stored.observations.get(key, ())), policy))
        for id_, each in stitching.clusters.items()
    }


def _sharing(
    stored: Stored,
    stitching: Stitching,
    profile_of: Mapping[IdentifierKey, ProfileId],
    uses: Mapping[IdentifierKey, Sequence[Use]],
    policy: Policy,
) -> dict[Sharing, tuple[int, int, list[int] | None]]:
    moments: defaultdict[Sharing, list[int]] = defaultdict(list)
    for id_, each in stored.links.items():
        if stitching.refused.get(id_) is Reason.GENERIC:
            for generic, person in ((id_.a, id_.b), (id_.b, id_.a)):
                if generic in stitching.generic and person not in stitching.generic:
                    moments[generic, profile_of[person]] += [each.link.first_seen, each.link.last_seen]
    spans = {device: spans_of(found, profile_of) for device, found in uses.items()}
    spans |= _spans_by_time(moments, stitching, policy)
    return {
        (generic, profile): (min(found), max(found), spans.get(generic, {}).get(profile))
        for (generic, profile), found in moments.items()
    }


def _spans_by_time(
    moments: Mapping[Sharing, Sequence[int]], stitching: Stitching, policy: Policy
) -> dict[IdentifierKey, dict[ProfileId, list[int]]]:
    first: defaultdict[IdentifierKey, dict[ProfileId, int]] = defaultdict(dict)
    for (key, profile), found in moments.items():
        if told_by_time(key, stitching.generic.get(key), policy):
            first[key][profile] = min(found)
    return {key: spans_by_time(people) for key, people in first.items()}


def _of_people(stored: Stored, expected: Expected) -> Iterator[Difference]:
    for key, each in stored.identifiers.items():
        profile = expected.profile_of[key]
        if each.profile != profile:
            yield Difference("profile", key, str(each.profile), profile)
        generic = expected.stitching.generic.get(key)
        if each.generic != generic:
            yield Difference("generic", key, str(each.generic), str(generic))


def _of_flags(stored: Stored, expected: Expected) -> Iterator[Difference]:
    for id_, each in stored.links.items():
        reason = expected.stitching.refused.get(id_)
        if not each.judged or each.verdict != reason:
            subject = f"{id_.a} - {id_.b} ({id_.kind.word})"
            yield Difference("link", subject, str(each.verdict) if each.judged else "not judged", str(reason))
    kept = {id_: each.link for id_, each in stored.links.items() if id_.kind is Kind.MANUAL}
    for id_ in kept.keys() | expected.manual.keys():
        if kept.get(id_) != expected.manual.get(id_):
            yield Difference("manual link", f"{id_.a} - {id_.b}", str(kept.get(id_)), str(expected.manual.get(id_)))


def _of_profiles(stored: Stored, expected: Expected) -> Iterator[Difference]:
    for id_ in stored.profiles.keys() | expected.stitching.clusters.keys():
        cluster, row = expected.stitching.clusters.get(id_), stored.profiles.get(id_)
        if cluster is None or row is None:
            yield Difference("existence", id_, str(row is not None), str(cluster is not None))
            continue
        moments = [stored.moments[key] for key in cluster.members]
        facts: dict[str, object] = {
            "known": cluster.known,
            "shared": cluster.shared,
            "first_seen": min(first for first, _ in moments),
            "last_seen": max(last for _, last in moments),
            "pending": None,
            **expected.traits[id_],
        }
        for name, value in facts.items():
            if row.get(name) != value:
                yield Difference(name, id_, repr(row.get(name)), repr(value))


def _of_sharing(stored: Stored, expected: Expected) -> Iterator[Difference]:
    wanted_uses = {key: uses_text(uses) for key, uses in expected.uses.items()}
    for key in stored.uses.keys() | wanted_uses.keys():
        if stored.uses.get(key) != wanted_uses.get(key):
            yield Difference("uses", key, str(stored.uses.get(key)), str(wanted_uses.get(key)))
    for (key, profile), found, wanted in _sharing_unlike(stored, expected):
        yield Difference("sharing", f"{key} of {profile}", str(found), str(wanted))


def _sharing_unlike(stored: Stored, expected: Expected) -> Iterator[tuple[Sharing, object, object]]:
    for pair in stored.sharing.keys() | expected.sharing.keys():
        row, wanted = stored.sharing.get(pair), expected.sharing.get(pair)
        found = (row["first"], row["last"], row["spans"]) if row is not None else None
        if found != wanted:
            yield pair, found, wanted


def _of_accounts(stored: Stored, expected: Expected) -> Iterator[Difference]:
    for each in stored.parts:
        pair = (each.statement.child, each.statement.parent)
        wanted = part_verdict(pair, expected.cycles)
        if (each.accepted, each.reason) != wanted:
            yield Difference("part of", " of ".join(pair), str((each.accepted, each.reason)), str(wanted))
    for key in stored.merged.keys() | expected.heads.keys():
        if stored.merged.get(key) != expected.heads.get(key):
            yield Difference("account", key, str(stored.merged.get(key)), str(expected.heads.get(key)))


async def rebuild(reader: Reader, writer: Writer, policy: Policy, cause: Cause, now: int) -> int:
    """Write what follows from the evidence wherever something else is stored; how many profiles there are then.

    cause: why, as the log says it. now: µs.

    In transactions of 1,000 rows, so reads are served all the while; a rebuild that was interrupted is run again.
    Stop ingestion first: what is committed meanwhile can be overwritten by what was read before.
    """
    policy = policy.with_namespaces(await declared_namespaces(reader))
    stored = await stored_state(reader, policy)
    expected = await expected_state(reader, stored, policy, by_columns)
    await _write_flags(writer, stored, expected, cause, now)
    await _write_manual(writer, stored, expected)
    await _chunked(writer, sorted(stored.pending), _wait_no_longer)
    unlike = [{"key": key, "profile": id_} for (key, id_), _, _ in _sharing_unlike(stored, expected)]
    await _chunked(writer, unlike, _stop_sharing)
    wrong = [each for each in expected.stitching.clusters.values() if _misplaced(each, stored)]
    await _chunked(writer, wrong, _place, stored, expected, cause, now)
    await _chunked(writer, sorted(stored.profiles.keys() - expected.stitching.clusters.keys()), drop_profiles)
    await _chunked(writer, sorted(expected.stitching.clusters), _refresh, policy)
    for device in sorted(expected.uses):
        await writer.write(_refresh_devices, [device], policy)
    named = sorted(stored.merged.keys() | expected.heads.keys())
    await _chunked(writer, named, name_accounts, expected.heads)
    pairs = {(each.statement.child, each.statement.parent) for each in stored.parts}
    await _chunked(writer, sorted(pairs), judge_parents, expected.cycles)
    await _chunked(writer, await lost_memberships(reader), say_memberships)
    return len(expected.stitching.clusters)


async def _chunked(writer: Writer, rows: Sequence[T], work: Callable[..., Awaitable[None]], *more: object) -> None:
    for start in range(0, len(rows), CHUNK):
        await writer.write(work, rows[start : start + CHUNK], *more)


async def _write_flags(writer: Writer, stored: Stored, expected: Expected, cause: Cause, now: int) -> None:
    generic = expected.stitching.generic
    turned = {key: generic.get(key) for key, each in stored.identifiers.items() if each.generic != generic.get(key)}
    unused = {key: generic.get(key) for key in stored.uses.keys() - expected.uses.keys() - turned.keys()}
    await _chunked(writer, sorted(turned.items()), _turn, cause, now)
    await _chunked(writer, sorted(unused.items()), _set_generic)
    refused = expected.stitching.refused
    judged = [
        {"element": each.element, "facts": verdict_facts(refused.get(id_))}
        for id_, each in stored.links.items()
        if not each.judged or each.verdict != refused.get(id_)
    ]
    await _chunked(writer, judged, _change_links)


async def _write_manual(writer: Writer, stored: Stored, expected: Expected) -> None:
    """Make the manual links what the standing acts say; a new one is recorded at the moment of its act."""
    kept = {id_: each for id_, each in stored.links.items() if id_.kind is Kind.MANUAL}
    wrong = [each.element for id_, each in kept.items() if each.link != expected.manual.get(id_)]
    new = [link for id_, link in expected.manual.items() if id_ not in kept or kept[id_].link != link]
    refused = expected.stitching.refused
    await _chunked(writer, wrong, _delete_links)
    rows = [new_row(link, verdict_facts(refused.get(link.id)), link.first_seen) for link in new]
    await _chunked(writer, rows, _create_links)


async def _delete_links(tx: Transaction, elements: Sequence[str]) -> None:
    await tx.rows(DELETE_LINKS, elements=elements)


async def _create_links(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    await tx.rows(WRITE_LINKS, new=rows, changed=[])


async def _stop_sharing(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    await tx.rows(STOP_SHARING_WITH, rows=rows)


Turn = tuple[IdentifierKey, Generic | None]


async def _turn(tx: Transaction, turns: Sequence[Turn], cause: Cause, now: int) -> None:
    await _set_generic(tx, turns)
    await log_stitched(tx, dict(turns), Moves(()), cause, now)


async def _set_generic(tx: Transaction, turns: Sequence[Turn]) -> None:
    await tx.rows(SET_GENERIC, rows=[{"key": key, "generic": why} for key, why in turns])


async def _change_links(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    await tx.rows(CHANGE_LINKS, changed=rows)


def _misplaced(cluster: Cluster, stored: Stored) -> bool:
    row = stored.profiles.get(cluster.id)
    flags = (row.get("known"), row.get("shared")) if row is not None else None
    return flags != (cluster.known, cluster.shared) or any(
        stored.identifiers[key].profile != cluster.id for key in cluster.members
    )


async def _place(
    tx: Transaction, clusters: Sequence[Cluster], stored: Stored, expected: Expected, cause: Cause, now: int
) -> None:
    moved = {key: each.id for each in clusters for key in each.members if stored.identifiers[key].profile != each.id}
    await place(tx, clusters, moved, list(moved))
    await refresh_moments(tx, [each.id for each in clusters])
    moves = [
        Move(key, stored.identifiers[key].known.mint, stored.identifiers[key].profile, id_)
        for key, id_ in moved.items()
    ]
    exist = expected.stitching.clusters.keys()
    seen = Moves(moves, stored.profiles.keys(), exist, expected.stitching.refused)
    await log_stitched(tx, {}, seen, cause, now)


async def _refresh(tx: Transaction, profiles: Sequence[ProfileId], policy: Policy) -> None:
    await refresh_moments(tx, profiles)
    await refresh_traits(tx, profiles, policy)
    await share(tx, profiles)
    await refresh_contact_use(tx, profiles, (), (), policy)


async def _refresh_devices(tx: Transaction, devices: Sequence[IdentifierKey], policy: Policy) -> None:
    await refresh_uses(tx, devices, (), (), policy, limited=False)


async def _wait_no_longer(tx: Transaction, keys: Sequence[IdentifierKey]) -> None:
    await tx.rows(DONE, keys=keys)
