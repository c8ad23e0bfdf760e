"""What a candidate policy would make of the whole stored history, told without writing anything."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from graph.columns import Read, read_history
from graph.connection import Reader
from graph.device_use import HAPPENINGS
from graph.handing_on import SAID_BY_HAND
from graph.namespaces import declared_namespaces
from graph.rehearing import Reheard, reheard
from graph.segments import StoredSegment, memberships_in, preview, stored_segments
from graph.views import observation_from, shown_traits
from identity.contact_use import spans_by_time, told_by_time
from identity.device_use import Happening, uses_of
from identity.differences import hears_alike
from identity.errors import PolicyInvalidError, Problem
from identity.evidence import LinkId, Reason, derived_link, sha256_of
from identity.identifiers import IdentifierKey, ProfileId, namespace_of
from identity.messages import micros
from identity.policy import Namespace, Policy, Role, Shared
from identity.recomputing import Columns, Recomputed, recompute
from identity.simulation import Parts, SegmentChange, Simulation, compared, simulation_of
from identity.survivorship import MANUAL, Observation
from insight.segments import Definition, Person, matches, problems_of
from insight.segments import Happening as Counted

MOST_AFFECTED = 20_000
AT_ONCE = 1_000
LISTED = 10

# identifier_key (unique), then one expand per identifier
OBSERVED_OF = """
UNWIND $keys AS key
MATCH (anchor:Identifier {key: key})<-[:OF]-(o:Observation)
USING INDEX SEEK anchor:Identifier(key)
WHERE o.trait IN $traits
RETURN key, o.trait AS trait, o.value AS value, o.source AS source, o.at AS at, o.message AS message, o.sure AS sure,
  o.first_at AS first_at, o.first_message AS first_message, o.count AS count
"""

# profile_id (unique)
SHOWN = """
UNWIND $ids AS id
MATCH (p:Profile {id: id})
USING INDEX SEEK p:Profile(id)
RETURN p {.*} AS profile
"""

# interaction_actor_at (range; only where each of its properties is asked for)
DONE_BY = """
UNWIND $keys AS key
MATCH (i:Interaction)
USING INDEX SEEK i:Interaction(actor, at, id)
WHERE i.actor = key AND i.at IS NOT NULL AND i.id IS NOT NULL
RETURN key, i.id AS id, i.at AS at, i.type AS type, i.name AS name
"""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulation, and what it was made from, so that applying can write it."""

    report: Simulation
    heard: Reheard | None


async def simulate(reader: Reader, in_force: Policy, candidate: Policy, now: int) -> Simulated:
    """What a candidate would change, computed from the whole stored history; nothing is written. now: µs.

    Where messages say something else under the candidate, all are heard again; otherwise the stored links are stitched
    again. Raises PolicyInvalidError where the candidate contradicts what sources declared.
    Cost: 1,000,000 links in docs/benchmarks.md; what profiles show and segments hold is asked of 20,000 people at most.
    """
    declared = await declared_namespaces(reader)
    check_declared(candidate, declared)
    old, new = in_force.with_namespaces(declared), candidate.with_namespaces(declared)
    heard = None if hears_alike(old, new) else await reheard(reader, old, new, now)
    read = await _read(reader, heard)
    found = recompute(read.columns, read.acts, new)
    also = _also(read, found, heard)
    parts = compared(read.columns, found, read.before, new, also=also, whole=_shows_otherwise(old, new))
    report = simulation_of(read.columns, found, read.before, parts, new, heard_anew=heard is not None)
    report = _counted(replace(report, version=candidate.version, hash=candidate.hash), heard)
    asked = _Asked(reader, old, new, read, found, heard, parts, now)
    return Simulated(await _with_views(asked, report), heard)


def check_declared(candidate: Policy, declared: Collection[Namespace]) -> None:
    """Raise PolicyInvalidError where a policy says another thing of a namespace than the source that declared it."""
    problems = [
        Problem(None, f"namespaces.{each.name}.{rule}", f"a source's mapping declares {rule} = {_word(stated)}")
        for each in declared
        if each.name in candidate.namespaces
        for rule in ("role", "unique")
        if (stated := getattr(each, rule)) != getattr(candidate.namespaces[each.name], rule)
    ]
    if problems:
        raise PolicyInvalidError(problems)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def _counted(report: Simulation, heard: Reheard | None) -> Simulation:
    """The report with how many identifiers and links come and go because messages say something else."""
    if heard is None:
        return report
    stated = {id_ for id_ in heard.totals.touched.links if heard.totals.parts.get(id_)}
    stored = heard.totals.touched.links & heard.links.keys()
    return replace(
        report,
        identifiers_gone=len(heard.gone),
        identifiers_new=len(heard.new),
        links_gone=len(stored - stated),
        links_new=len(stated - stored),
        notes=heard.carried.notes,
    )


def _shows_otherwise(old: Policy, new: Policy) -> bool:
    """Whether people show something else though nobody moves: by other strategies, ranks, traits or device rules."""
    return _showing(old) != _showing(new) or bool(_by_time(new))  # of a shared one, everybody's time ends with the next


def _showing(policy: Policy) -> tuple[object, ...]:
    devices = policy.device_rule, policy.device_idle_minutes, policy.logout_names
    return policy.traits, policy.source_rank, devices, _by_time(policy)


def _by_time(policy: Policy) -> frozenset[str]:
    return frozenset(name for name, rules in policy.namespaces.items() if rules.shared is Shared.BY_TIME)


def _also(read: Read, found: Recomputed, heard: Reheard | None) -> set[int]:
    """Identifiers whose people may show something else though they have the same identifiers.

    Those of whom messages say something else, and those who share a device whose logins are others now, because an
    identifier on it turned generic or back, or because messages on it are heard otherwise.
    """
    columns = read.columns
    told: set[IdentifierKey] = set()
    if heard is not None:
        touched = heard.totals.touched
        told = touched.identifiers | {stated[0] for stated in touched.observations}
        for said in touched.interactions.values():
            told |= {each for each in (said.actor, *said.persons, *said.devices) if each is not None}
    also = {columns.numbers[key] for key in told if key in columns.numbers}
    turned = read.before.generic.keys() ^ found.generic.keys()
    if not turned and not also:
        return also
    ends = list(zip(columns.first, columns.second, strict=True))
    moved = also | turned
    near = {other for pair in ends for one, other in (pair, pair[::-1]) if one in moved and other in found.generic}
    near |= moved & found.generic.keys()
    return also | {other for pair in ends for one, other in (pair, pair[::-1]) if one in near}


async def _read(reader: Reader, heard: Reheard | None) -> Read:
    """The history as the candidate hears it."""
    if heard is None:
        return await read_history(reader)
    totals = heard.totals
    read = await read_history(reader, heard.gone, totals.touched.links)
    read.acts = list(heard.carried.acts)
    read.before.heirs = heard.heirs
    for claim in heard.new.values():
        read.columns.add_identifier(claim.known)
        read.before.profiles.append(None)
    numbers = read.columns.numbers
    for key, claim in heard.anew.items():
        read.columns.mints[numbers[key]], read.columns.minted_at[numbers[key]] = claim.mint, claim.minted_at
    for id_ in sorted(totals.touched.links, key=str):
        steps = totals.link(id_)
        if steps and id_.a in numbers and id_.b in numbers:
            link, stored = steps[-1][1], heard.links.get(id_)
            if stored is not None:
                reason = stored.verdict.value if stored.verdict else None
                read.before.reasons[len(read.columns.first)] = reason if stored.judged else "not judged"
            read.columns.add_link(id_, link.authority, link.first_seen, sure=link.sure)
    for id_ in _derived(read.columns, heard):
        link = derived_link(id_.a, id_.b)
        read.columns.add_link(link.id, link.authority, link.first_seen, sure=link.sure)
    return read


def _derived(columns: Columns, heard: Reheard) -> Iterator[LinkId]:
    """The links between addresses and hashes of which one is new."""
    digests = {key for key in heard.new if namespace_of(key) == "email_sha256"}
    emails = {key for key in heard.new if namespace_of(key) == "email"}
    asked = [key for key in columns.keys if namespace_of(key) == "email"] if digests else sorted(emails)
    for email in asked:
        digest = IdentifierKey(f"email_sha256:{sha256_of(email.partition(':')[2])}")
        if digest in columns.numbers and (email in emails or digest in digests):
            yield derived_link(email, digest).id


@dataclass(frozen=True, slots=True)
class _Asked:
    reader: Reader
    old: Policy
    new: Policy
    read: Read
    found: Recomputed
    heard: Reheard | None
    parts: Parts
    now: int

    def keys(self, part: int) -> list[IdentifierKey]:
        return [self.read.columns.keys[number] for number in self.parts.members[part]]


async def _with_views(asked: _Asked, report: Simulation) -> Simulation:
    """The report with what profiles show and who is in which segment, where not too many people are affected."""
    segments = await stored_segments(asked.reader)
    many = len(asked.parts.members)
    if many > MOST_AFFECTED:
        note = f"{many:,} people are affected; what they show and their segments are told up to {MOST_AFFECTED:,}"
        unsaid = tuple(SegmentChange(each.name, None, None, note="too many people are affected") for each in segments)
        return replace(report, notes=(*report.notes, note), segments=unsaid)
    stored = await _stored_profiles(asked)
    shown = await _shown(asked)
    after = {id_: shown[part] for part, id_ in asked.parts.ids.items()}
    changed = sum(
        stored[id_].get(name) != traits.get(name)
        for id_, traits in after.items()
        if id_ in stored
        for name in stored[id_].keys() | traits.keys()
        if name.startswith("t_")
    )
    told = [await _segment(asked, each, shown) for each in segments]
    return replace(report, traits=changed, segments=tuple(told))


async def _stored_profiles(asked: _Asked) -> dict[ProfileId, Mapping[str, object]]:
    found: dict[ProfileId, Mapping[str, object]] = {}
    ids = sorted(asked.parts.profiles)
    for start in range(0, len(ids), AT_ONCE):
        for row in await asked.reader.rows(SHOWN, ids=ids[start : start + AT_ONCE]):
            found[ProfileId(row["profile"]["id"])] = row["profile"]
    return found


Shown = Mapping[str, str | int | float | bool | None]


async def _shown(asked: _Asked) -> dict[int, Shown]:
    """What each affected person would show."""
    shown: dict[int, Shown] = {}
    order = sorted(asked.parts.members)
    for start in range(0, len(order), AT_ONCE):
        chunk = order[start : start + AT_ONCE]
        observed = await _observed(asked, [key for part in chunk for key in asked.keys(part)])
        for part in chunk:
            mine = (each for key in asked.keys(part) for each in observed.get(key, ()))
            shown[part] = shown_traits(mine, asked.new)
    return shown


async def _observed(asked: _Asked, keys: Sequence[IdentifierKey]) -> Mapping[IdentifierKey, list[Observation]]:
    """The observations of identifiers of the traits that the candidate names, as the candidate hears them."""
    found: defaultdict[IdentifierKey, list[Observation]] = defaultdict(list)
    touched = asked.heard.totals.touched.observations if asked.heard else frozenset()
    for row in await asked.reader.rows(OBSERVED_OF, keys=list(keys), traits=sorted(asked.new.traits)):
        if (row["key"], row["trait"], row["source"], row["value"]) not in touched:
            found[IdentifierKey(row["key"])].append(observation_from(row))
    wanted = set(keys)
    gone = {old: heir for old, heir in asked.heard.heirs.items() if heir in wanted} if asked.heard else {}
    for row in await asked.reader.rows(SAID_BY_HAND, keys=sorted(gone), source=MANUAL) if gone else ():
        if row["trait"] in asked.new.traits:
            found[gone[IdentifierKey(row["key"])]].append(observation_from(row))
    for stated, (each, _) in asked.heard.totals.observations.items() if asked.heard else ():
        if stated[0] in wanted and stated[1] in asked.new.traits:
            found[stated[0]].append(each)
    return found


async def _segment(asked: _Asked, segment: StoredSegment, shown: Mapping[int, Shown]) -> SegmentChange:
    """Who enters and who leaves one segment, among the people affected."""
    definition = segment.definition
    if definition is None or problems_of(definition, asked.old.traits):
        return SegmentChange(segment.name, None, None, note="it cannot be asked today")
    if problems_of(definition, asked.new.traits):
        return SegmentChange(segment.name, None, None, note="it names a trait that the policy would not name")
    before = (await preview(asked.reader, definition, asked.old.traits, asked.now, 1)).count
    members = await _members(asked, segment.name, definition)
    after = await _matching(asked, definition, shown)
    enter, leave = sorted(after - members), sorted(members - after)
    total = before + len(enter) - len(leave)
    lists = tuple(enter[:LISTED]), tuple(leave[:LISTED])
    return SegmentChange(segment.name, before, total, len(enter), len(leave), *lists)


async def _members(asked: _Asked, name: str, definition: Definition) -> set[str]:
    """The affected profiles that are in a segment today."""
    found: set[str] = set()
    ids = sorted(asked.parts.profiles)
    for start in range(0, len(ids), AT_ONCE):
        rows = await memberships_in(
            asked.reader, ids[start : start + AT_ONCE], {name: definition}, asked.old.traits, asked.now
        )
        found |= {id_ for id_, names in rows.items() if names}
    return found


async def _matching(asked: _Asked, definition: Definition, shown: Mapping[int, Shown]) -> set[str]:
    """The affected people that would be in a segment; where an id is not minted yet, a key stands for it."""
    found: set[str] = set()
    order = [part for part in sorted(asked.parts.members) if asked.parts.members[part][0] not in asked.found.generic]
    for start in range(0, len(order), AT_ONCE):
        chunk = order[start : start + AT_ONCE]
        done = await _interactions(asked, chunk)
        for part in chunk:
            traits = {name[2:]: value for name, value in shown[part].items() if value is not None}
            if matches(definition, Person(traits, done[part]), asked.now):
                found.add(asked.parts.ids[part] or asked.keys(part)[0])
    return found


async def _interactions(asked: _Asked, parts: Sequence[int]) -> dict[int, list[Counted]]:
    """The interactions of affected people: their own, and on devices they share those inside their spans."""
    owner = {key: part for part in parts for key in asked.keys(part)}
    shared = _shared_by(asked, owner)
    by_actor = await _done_by(asked, sorted({*owner, *shared}))
    found: dict[int, list[Counted]] = {part: [] for part in parts}
    for key, part in owner.items():
        found[part] += by_actor.get(key, ())
    for key, spans in (await _spans(asked, shared)).items():
        for part in spans.keys() & shared[key].keys() & found.keys():
            edges = spans[part]
            mine = list(zip(edges[::2], edges[1::2], strict=True))
            found[part] += [
                each for each in by_actor.get(key, ()) if any(start <= each.at <= end for start, end in mine)
            ]
    return found


Firsts = Mapping[int, int]  # when each person was first seen with a shared identifier, µs


def _shared_by(asked: _Asked, owner: Mapping[IdentifierKey, int]) -> dict[IdentifierKey, Firsts]:
    """The generic identifiers that some of these people use, each with all who do."""
    columns, found = asked.read.columns, asked.found
    shared: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for link, why in found.refused.items():
        ends = columns.first[link], columns.second[link]
        for one, other in (ends, ends[::-1]) if why is Reason.GENERIC else ():
            if one in found.generic and other not in found.generic:
                part, moment = found.parts[other], columns.first_seen[link]
                shared[one][part] = min(moment, shared[one].get(part, moment))
    wanted = set(owner.values())
    return {columns.keys[number]: firsts for number, firsts in shared.items() if wanted & firsts.keys()}


async def _spans(asked: _Asked, shared: Mapping[IdentifierKey, Firsts]) -> dict[IdentifierKey, dict[int, list[int]]]:
    """Whose the interactions with shared identifiers alone would be when: devices by logins, others by first use."""
    numbers, parts, generic = asked.read.columns.numbers, asked.found.parts, asked.found.generic
    found: dict[IdentifierKey, dict[int, list[int]]] = {
        key: _first_come(firsts)
        for key, firsts in shared.items()
        if told_by_time(key, generic.get(numbers[key]), asked.new)
    }
    devices = sorted(key for key in shared if asked.new.namespace(namespace_of(key)).role is Role.DEVICE)
    for device, uses in (await _uses(asked, devices)).items():
        spans: defaultdict[int, list[int]] = defaultdict(list)
        for person, start, end in uses:
            if person in numbers:
                spans[parts[numbers[person]]] += [start, end]
        found[device] = dict(spans)
    return found


def _first_come(firsts: Firsts) -> dict[int, list[int]]:
    spans = spans_by_time({ProfileId(str(part)): moment for part, moment in firsts.items()})
    return {int(part): edges for part, edges in spans.items()}


async def _done_by(asked: _Asked, keys: Sequence[IdentifierKey]) -> dict[IdentifierKey, list[Counted]]:
    found: defaultdict[IdentifierKey, list[Counted]] = defaultdict(list)
    moved = asked.heard.totals.touched.interactions if asked.heard else {}
    for row in await asked.reader.rows(DONE_BY, keys=list(keys)):
        if row["id"] not in moved:
            found[IdentifierKey(row["key"])].append(Counted(row["at"], row["type"], row["name"]))
    wanted = set(keys)
    for said in moved.values():
        if said.actor in wanted and said.actor is not None:
            message = said.message
            found[said.actor].append(Counted(micros(message.at), message.kind.value, message.name))
    return found


async def _uses(
    asked: _Asked, devices: Sequence[IdentifierKey]
) -> dict[IdentifierKey, list[tuple[IdentifierKey, int, int]]]:
    """Who would have used shared devices when."""
    if not devices:
        return {}
    found: defaultdict[IdentifierKey, list[Happening]] = defaultdict(list)
    moved = asked.heard.totals.touched.interactions if asked.heard else {}
    for row in await asked.reader.rows(HAPPENINGS, keys=list(devices)):
        if row["id"] not in moved:
            persons = tuple(map(IdentifierKey, row["persons"] or ()))
            found[IdentifierKey(row["key"])].append(Happening(row["at"], row["id"], row["name"], persons))
    wanted = set(devices)
    for said in moved.values():
        for device in {said.actor, *said.devices} & wanted:
            if device is not None:
                message = said.message
                found[device].append(Happening(micros(message.at), message.id, message.name, said.persons))
    generic = {asked.read.columns.keys[number] for number in asked.found.generic}
    return {
        device: [(use.person, use.start, use.end) for use in uses_of(happenings, generic, asked.new)]
        for device, happenings in found.items()
    }


def report_text(report: Simulation) -> str:
    """A report as JSON text."""
    return msgspec.json.encode(report).decode()
