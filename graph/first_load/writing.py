"""What a stitched history leaves in a graph, written to the tables of an import: as ingestion would have left it.

Who used a shared device when is told from its interactions, which are in the tables by then; so shared devices wait for
the background (`pending`), as busy ones do in ingestion, and are done when the command drains what waits.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from graph.audit import Cause, CauseKind, ChangeKind, Entry, change_row
from graph.first_load.gathering import Accounts, Gathering, Said, Thing
from graph.first_load.spilling import PARTS
from graph.first_load.stitching import People, Stitched, people_of, stitched
from graph.first_load.tables import End, Facts, Tables
from graph.ingestion import found_by
from graph.links import facts_of, verdict_facts, with_step
from graph.memberships import part_verdict, stated_row
from graph.recording import observation_key, observed_facts
from graph.server.importing import Imported
from graph.views import shown_traits
from identity.accounts import cycles
from identity.contact_use import spans_by_time, told_by_time
from identity.evidence import Link, Reason
from identity.identifiers import IdentifierKey, ProfileId, namespace_of
from identity.policy import Policy, Role
from identity.survivorship import Observation, joined

MOVES = 1_000  # of one row of the log: as many as a batch of messages brings at most
TOLD_EACH = 10_000

Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Files:
    """Files that wait to be imported. arguments: of Neo4j's importer."""

    arguments: tuple[str, ...]
    hold: Imported


def write_graph(gathering: Gathering, found: Stitched, policy: Policy, source: str, tell: Tell) -> None:
    """Write everything but the interactions, which were written as they came. tell: hears how many rows are written."""
    writing = _Writing(gathering, found, policy, Cause(CauseKind.MESSAGES, source), tell)
    writing.identifiers()
    writing.people(people_of(found, gathering.identifiers, policy))
    writing.links()
    writing.things()
    write_accounts(gathering.tables, gathering.accounts, found, gathering.now)
    writing.log()


def completed(
    gathering: Gathering,
    policy: Policy,
    kept: Iterable[tuple[str, Facts]],
    source: str,
    mint: Callable[[], str],
    tell: Tell,
) -> Files:
    """Stitch what was gathered, and write the rest of the files of the import.

    kept: what the graph held before, node by node; source: who said it all, as the log of changes names them.
    """
    gathering.settle()
    write_graph(gathering, stitched(gathering, policy, mint), policy, source, tell)
    for label, facts in kept:
        gathering.tables.bare_node(label, facts)
    arguments = tuple(gathering.tables.closed())
    size = sum(path.stat().st_size for path in gathering.folder.glob("*.csv"))
    return Files(arguments, Imported(gathering.tables.nodes, gathering.tables.relationships, size))


class _Writing:
    """One history, table by table."""

    def __init__(self, gathering: Gathering, found: Stitched, policy: Policy, cause: Cause, tell: Tell) -> None:
        self._gathering = gathering
        self._tables = gathering.tables
        self._found = found
        self._policy = policy
        self._cause = cause
        self._tell = tell
        self._keys = found.columns.keys

    def identifiers(self) -> None:
        """Every identifier, with its person."""
        said, columns, generic = self._gathering.identifiers, self._found.columns, self._found.found.generic
        for number, key in enumerate(self._keys):
            namespace, _, value = key.partition(":")
            role, why = self._policy.namespace(namespace).role, generic.get(number)
            facts = {
                "key": key,
                "namespace": namespace,
                "value": value,
                "mint": columns.mints[number],
                "minted_at": columns.minted_at[number],
                "first_seen": said.first[number],
                "last_seen": said.last[number],
                "interactions": said.acted[number],
                "sighted": bool(said.sighted[number]),
                "minted_by": said.minted_by[number] or None,
                "generic": why.value if why else None,
                "moved_at": self._gathering.now if why else None,
                "pending": True if why and role is Role.DEVICE else None,
                **found_by(namespace, value),
            }
            self._tables.node(f"Identifier:{role.value}", "key", facts)
            profile = End("Profile", self._found.profile(number))
            self._tables.relationship("IDENTIFIES", End("Identifier", key), profile)
            self._count(number)

    def people(self, people: People) -> None:
        """Every profile with the traits that the policy names, and every trait value of its identifiers."""
        values = self._gathering.spill("values-of-people", Said)
        for part in self._gathering.values.parts():
            for said in part:
                values.add(int(self._found.parts[said.actor]), said)
        self._gathering.values.close()
        by_place: defaultdict[int, list[int]] = defaultdict(list)
        for person in self._found.anchors:
            by_place[person % PARTS].append(person)
        for place, part in enumerate(values.parts()):
            observed: defaultdict[int, list[Observation]] = defaultdict(list)
            for actor, each in together(part):
                self._write_observation(self._keys[actor], each)
                if each.trait in self._policy.traits:
                    observed[int(self._found.parts[actor])].append(each)
            for person in by_place[place]:
                self._write_profile(person, people, observed.get(person, []))
            self._count(place * TOLD_EACH)
        values.close()

    def _write_observation(self, key: IdentifierKey, each: Observation) -> None:
        own = observation_key(key, each.trait, each.source, each.value)
        facts = {**observed_facts(own, each), "recorded_at": self._gathering.now}
        self._tables.node("Observation", "key", facts)
        self._tables.relationship("OF", End("Observation", own), End("Identifier", key))

    def _write_profile(self, person: int, people: People, observed: Sequence[Observation]) -> None:
        anchor = self._found.anchors[person]
        shared = anchor in self._found.found.generic
        waits = shared and self._policy.namespace(namespace_of(self._keys[anchor])).role is Role.DEVICE
        facts = {
            "id": self._found.columns.mints[anchor],
            "known": bool(people.known[person]),
            "shared": shared,
            "first_seen": int(people.first[person]),
            "last_seen": int(people.last[person]),
            "pending": True if waits else None,
            **shown_traits(observed, self._policy),
        }
        self._tables.node("Profile", "id", facts)

    def links(self) -> None:
        """Every link with its verdict, and who shares what."""
        moments: defaultdict[tuple[IdentifierKey, ProfileId], list[int]] = defaultdict(list)
        for number, (link, reason) in enumerate(self._found.verdicts()):
            said = facts_of(link, with_step("", link, self._gathering.now))
            facts = {**said, **verdict_facts(reason), "recorded_at": self._gathering.now}
            self._tables.relationship("LINKED", End("Identifier", link.a), End("Identifier", link.b), facts)
            if reason is Reason.GENERIC:
                for pair in self._shared_by(link):
                    moments[pair] += [link.first_seen, link.last_seen]
            self._count(number)
        self._found.links.close()
        spans, columns = self._spans(moments), self._found.columns
        for (key, profile), seen in moments.items():
            found_by = {"who": profile, "what": columns.mints[columns.numbers[key]]}
            shared = {"first": min(seen), "last": max(seen), "spans": spans.get(key, {}).get(profile), **found_by}
            self._tables.relationship("SHARED_BY", End("Identifier", key), End("Profile", profile), shared)

    def _shared_by(self, link: Link) -> Iterator[tuple[IdentifierKey, ProfileId]]:
        numbers, generic = self._found.columns.numbers, self._found.found.generic
        for key, other in ((link.a, link.b), (link.b, link.a)):
            if numbers[key] in generic and numbers[other] not in generic:
                yield key, self._found.profile(numbers[other])

    def _spans(
        self, moments: Mapping[tuple[IdentifierKey, ProfileId], Sequence[int]]
    ) -> Mapping[IdentifierKey, Mapping[ProfileId, list[int]]]:
        """Whose a contact point was when, where the policy tells that by time."""
        numbers, generic = self._found.columns.numbers, self._found.found.generic
        first: defaultdict[IdentifierKey, dict[ProfileId, int]] = defaultdict(dict)
        for (key, profile), seen in moments.items():
            if told_by_time(key, generic.get(numbers[key]), self._policy):
                first[key][profile] = min(seen)
        return {key: spans_by_time(people) for key, people in first.items()}

    def things(self) -> None:
        """Every thing that an interaction is about, as it was told last."""
        for part in self._gathering.things.parts():
            told: dict[tuple[str, str], dict[str, object]] = {}
            for each in part:
                known = told.get((each.subject, each.key))
                told[each.subject, each.key] = _thing(each) if known is None else {**known, **_newer(known, each)}
            for (subject, _), facts in told.items():
                self._tables.node(subject, "key", facts)
        self._gathering.things.close()

    def log(self) -> None:
        """What arrived, and what is generic from the beginning, as the log of changes has it."""
        for number, entry in enumerate(self._entries()):
            row = msgspec.convert(change_row(number, entry), _Row)
            id_ = f"{self._gathering.now:016}{row.id}"
            self._tables.node("Change", "id", {"id": id_, "at": self._gathering.now, **row.facts})
            for key in row.ends:
                self._tables.relationship("CONCERNS", End("Change", id_), End("Identifier", key))

    def _entries(self) -> Iterator[Entry]:
        for number, why in sorted(self._found.found.generic.items()):
            facts: dict[str, object] = {"reason": why.value, "messages": None}
            yield Entry(ChangeKind.GENERIC, self._cause, facts, ends=[self._keys[number]])
        mints = self._found.columns.mints
        for start in range(0, len(mints), MOVES):
            some = range(start, min(start + MOVES, len(mints)))
            moves = {"arrived": mints[start : some.stop], "joined": [self._found.profile(each) for each in some]}
            yield Entry(ChangeKind.ARRIVED, self._cause, moves)

    def _count(self, number: int) -> None:
        if number % TOLD_EACH == 0:
            self._tell(self._tables.nodes + self._tables.relationships)


class _Row(msgspec.Struct):
    id: str
    facts: dict[str, object]
    ends: list[str]


def together(rows: Iterable[Said]) -> Iterator[tuple[int, Observation]]:
    """Trait values with their repeats, each with the number of the identifier that it is about."""
    found: dict[tuple[int, str, str, str], Observation] = {}
    for said in rows:
        value, id_ = msgspec.json.decode(said.value), (said.actor, said.trait, said.source, said.value)
        own = Observation(
            said.trait, value, said.source, said.at, said.message, said.sure, said.at, said.message, count=1
        )
        found[id_] = joined(found[id_], own) if id_ in found else own
    for (actor, *_), each in found.items():
        yield actor, each


def _thing(each: Thing) -> dict[str, object]:
    return {
        "key": each.key,
        "at": each.at,
        "message": each.message,
        "facts": each.facts,
        "told": each.told,
        "account": each.account,
        "account_at": each.at,
    }


def _newer(known: Mapping[str, object], each: Thing) -> dict[str, object]:
    """What of a thing another message says newer: who tells facts before who mentions, then by time and id."""
    found: dict[str, object] = {}
    before = (int(str(known["account_at"])), str(known["account"]))
    if each.account is not None and (known["account"] is None or (each.at, each.account) > before):
        found |= {"account": each.account, "account_at": each.at}
    stands = (bool(known["told"]), int(str(known["at"])), str(known["message"]))
    if (each.told, each.at, each.message) > stands:
        found |= {"at": each.at, "message": each.message, "facts": each.facts, "told": each.told}
    return found


def write_accounts(tables: Tables, accounts: Accounts, found: Stitched, now: int) -> None:
    """Every account, its members, and what it is part of."""
    nothing = {"stated": "{}", "traits": None, "name": None, "domain": None, "mail_domain": None}
    for key, seen in accounts.moments.items():
        said = accounts.stated.get(key)
        namespace, _, value = key.partition(":")
        facts = {
            "key": key,
            "namespace": namespace,
            "value": value,
            **(stated_row(key, "{}", said) if said else nothing),
        }
        tables.node("Account", "key", {**facts, "first_seen": seen.first, "last_seen": seen.last})
    for (member, key, role, source), seen in accounts.members.items():
        facts = {"role": role, "source": source, "from": seen.first, "last_seen": seen.last}
        recorded = {"recorded_at": now, "last_recorded_at": now}
        found_by = {"who": member, "of": key, "mint": found.columns.mints[found.columns.numbers[IdentifierKey(member)]]}
        tables.relationship(
            "MEMBER_OF", End("Identifier", member), End("Account", key), {**facts, **recorded, **found_by}
        )
    refused = cycles(accounts.parts.values())
    for (child, parent, source), part in accounts.parts.items():
        accepted, reason = part_verdict((child, parent), refused)
        facts = {"source": source, "first_seen": part.first_seen, "authority": part.authority.name.lower()}
        verdict = {"accepted": accepted, "reason": reason}
        tables.relationship("PART_OF", End("Account", child), End("Account", parent), {**facts, **verdict})
