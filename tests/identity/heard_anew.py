"""What a graph stores of a history, and what becomes of it by what another policy hears otherwise.

`stored` hears a whole history by one policy and adds it up in the plainest way there is. `corrected` takes what was
stored by the old policy and replaces what rehearing says is touched, as `graph/rehearing.py` writes it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import NamedTuple

from hypothesis import strategies as st

from identity.differences import Differences
from identity.evidence import Heard, Kind, Link, LinkId, hear, joined, resolved, time_of
from identity.identifiers import IdentifierKey, namespace_of
from identity.messages import AccountStatement, Message, MessageId, SourceName, Warned, micros
from identity.policy import KindRules, Normaliser, Policy, Role, Trait
from identity.rehearing import (
    Belonged,
    Member,
    Said,
    Sighted,
    Stated,
    Step,
    Totals,
    Touched,
    kept_steps,
    member_of,
    move_aliases,
    named_by_alias,
    previous_users,
    stated_by,
)
from identity.survivorship import Observation
from identity.survivorship import joined as joined_observations
from tests.identity.histories import some_message
from tests.identity.policies import small_policy, some_policy


class Recorded(NamedTuple):
    """A message, and when it was recorded (µs); what came together was recorded at one moment."""

    message: Message
    at: int


Records = Sequence[Recorded]


@dataclass(frozen=True)
class Stored:
    """The evidence of a history under one policy. links: the steps that are kept, and the whole of all statements."""

    identifiers: dict[IdentifierKey, tuple[Sighted, Role]]
    links: dict[LinkId, tuple[list[Step], Link]]
    observations: dict[Stated, tuple[Observation, int]]
    members: dict[Member, Belonged]
    interactions: dict[MessageId, Said]


def stored(records: Records, policy: Policy) -> Stored:
    """What a graph has once it has heard a history by this policy, and by no other."""
    heard = [(hear(each.message, policy), each.at) for each in records]
    statements = statements_of(heard)
    sighted = {key: (found, policy.namespace(namespace_of(key)).role) for key, found in sightings(heard).items()}
    for key, moments in _alone(statements).items():
        if key not in sighted:
            total = Sighted(min(moments), max(moments), 0, sighted=False)
            sighted[key] = total, policy.namespace(namespace_of(key)).role
    return Stored(
        identifiers=sighted,
        links={id_: _grown(said) for id_, said in statements.items()},
        observations=_observed(heard),
        members=_belonging(heard),
        interactions={each.message.id: said_by(each) for each, _ in heard},
    )


def sightings(heard: Sequence[tuple[Heard, int]]) -> dict[IdentifierKey, Sighted]:
    """The identifiers that messages show, each with when, and with how many it did."""
    moments: defaultdict[IdentifierKey, list[tuple[int, bool]]] = defaultdict(list)
    for one, _ in heard:
        for key in {each.key for each in one.identifiers}:
            moments[key].append((time_of(one.message), key == one.actor))
    return {
        key: Sighted(min(own for own, _ in all_), max(own for own, _ in all_), sum(acted for _, acted in all_))
        for key, all_ in moments.items()
    }


def statements_of(heard: Sequence[tuple[Heard, int]]) -> dict[LinkId, list[tuple[int, Link]]]:
    """What all messages say of each link, in the order in which it was recorded."""
    users = {each.key for one, _ in heard for each in one.identifiers if each.namespace == "user_id"}
    found: defaultdict[LinkId, list[tuple[int, Link]]] = defaultdict(list)
    for one, recorded_at in sorted(heard, key=lambda each: each[1]):
        aliased = (resolved(each, users) for each in one.aliases)
        for link in (*one.links, *(each for each in aliased if each is not None)):
            found[link.id].append((recorded_at, link))
    return dict(found)


def _alone(statements: dict[LinkId, list[tuple[int, Link]]]) -> dict[IdentifierKey, list[int]]:
    """The moments at which aliases named each identifier."""
    aliased = {id_: said for id_, said in statements.items() if id_.kind is Kind.ALIAS}
    moments: defaultdict[IdentifierKey, list[int]] = defaultdict(list)
    for id_, said in aliased.items():
        for end in (id_.a, id_.b):
            moments[end] += [link.first_seen for _, link in said]
    return moments


def _grown(said: list[tuple[int, Link]]) -> tuple[list[Step], Link]:
    """A link at each moment at which something was recorded of it, from all that was said until then."""
    moments = sorted({recorded_at for recorded_at, _ in said})
    known = [(moment, reduce(joined, [link for at, link in said if at <= moment])) for moment in moments]
    looks = [(each.sure, each.first_seen, each.authority) for _, each in known]
    kept = [step for number, step in enumerate(known) if number == 0 or looks[number] != looks[number - 1]]
    return kept, known[-1][1]


def _observed(heard: Sequence[tuple[Heard, int]]) -> dict[Stated, tuple[Observation, int]]:
    found: defaultdict[Stated, list[tuple[Observation, int]]] = defaultdict(list)
    for one, recorded_at in heard:
        for stated, each in stated_by(one).items():
            found[stated].append((each, recorded_at))
    return {
        stated: (reduce(joined_observations, [each for each, _ in all_]), min(at for _, at in all_))
        for stated, all_ in found.items()
    }


def _belonging(heard: Sequence[tuple[Heard, int]]) -> dict[Member, Belonged]:
    found: defaultdict[Member, list[tuple[int, int]]] = defaultdict(list)
    for one, recorded_at in heard:
        member = member_of(one)
        if member is not None:
            found[member].append((micros(one.message.at), recorded_at))
    return {
        member: Belonged(min(moments), max(moments), min(recorded), max(recorded))
        for member, all_ in found.items()
        for moments, recorded in [tuple(zip(*all_, strict=True))]
    }


def said_by(heard: Heard) -> Said:
    """What is stored of an interaction itself."""
    warnings = tuple(f"{each.code} {each.place}: {each.sentence}" for each in heard.warnings)
    return Said(heard.message, heard.actor, heard.persons, heard.devices, warnings)


def touched_by(old: Policy, new: Policy, messages: Iterable[Message]) -> Touched:
    """What messages touch, in this order, all recorded at one moment."""
    touched = Touched()
    for each in messages:
        touched.hear(each, 1, Differences(old, new))
    return touched


def reheard(records: Records, old: Policy, new: Policy, known: Stored) -> Totals:
    """Both passes over a history that is stored by the old policy. The order of the records is of no account."""
    touched, differences = Touched(), Differences(old, new)
    for message, recorded_at in records:
        if not differences.none_in(message):
            touched.hear(message, recorded_at, differences)
    touched.identifiers |= named_by_alias(touched)
    totals = Totals(touched)
    for message, recorded_at in records:
        if totals.concerned(message, new):
            totals.hear(message, recorded_at, new)
    sighted = {key for key, (each, _) in known.identifiers.items() if each.sighted}
    move_aliases(totals, previous_users(touched) & sighted)
    return totals


def corrected(known: Stored, totals: Totals, new: Policy) -> Stored:
    """What is stored, with what is touched as the totals say it, and without what they do not know."""
    touched = totals.touched
    roles = {key: new.namespace(namespace_of(key)).role for key in totals.identifiers}
    links = {id_: totals.link(id_) for id_ in touched.links}
    return Stored(
        identifiers={key: each for key, each in known.identifiers.items() if key not in touched.identifiers}
        | {key: (each, roles[key]) for key, each in totals.identifiers.items()},
        links={id_: each for id_, each in known.links.items() if id_ not in touched.links}
        | {id_: (kept_steps(steps), steps[-1][1]) for id_, steps in links.items() if steps},
        observations={each: said for each, said in known.observations.items() if each not in touched.observations}
        | totals.observations,
        members={each: said for each, said in known.members.items() if each not in touched.members} | totals.members,
        interactions=known.interactions | touched.interactions,
    )


SPELLINGS = {
    "e0@x.com": ("lee@gmail.com", "l.ee@gmail.com", "Lee@gmail.com"),
    "e1@x.com": ("LEE+news@gmail.com", "le.e@gmail.com", "lee+news@gmail.com"),
}
PREVIOUS = ("a0", "a1", "u0")
some_account = st.builds(
    AccountStatement,
    st.sampled_from(["account:a", "account:b"]),
    member=st.sampled_from([True, True, False]),
    role=st.sampled_from([None, "admin"]),
)


@st.composite
def some_record(draw: st.DrawFn) -> Recorded:
    """A message that two policies may hear differently: addresses in several spellings, memberships, warnings."""
    said = draw(some_message())
    spelt = tuple(
        replace(
            each,
            value=draw(st.sampled_from(SPELLINGS.get(each.value, (each.value,)))),
            record_key=draw(st.sampled_from([False, False, True])),
        )
        for each in said.sightings
    )
    previous = draw(st.sampled_from([said.previous_id, said.previous_id, *PREVIOUS]))
    message = replace(
        said,
        previous_id=previous,
        source=SourceName(draw(st.sampled_from(["web", "crm"]))),
        sightings=spelt,
        account=draw(st.none() | some_account),
        warnings=draw(st.sampled_from([(), (Warned("late", "timestamp", "it came late"),)])),
    )
    return Recorded(message, draw(st.integers(1, 4)))


some_records = st.lists(some_record(), min_size=3, max_size=16, unique_by=lambda each: each.message.id)


def _with(name: str, **rules: object) -> st.SearchStrategy[Policy]:
    """A small policy with other rules of one namespace."""
    policy = small_policy()
    other = replace(policy.namespaces[name], **rules)  # type: ignore[arg-type]  # names of fields
    return st.just(replace(policy, namespaces={**policy.namespaces, name: other}))


def _but(**settings: object) -> st.SearchStrategy[Policy]:
    return st.just(replace(small_policy(), **settings))  # type: ignore[arg-type]  # names of fields


some_other_policy = st.one_of(
    _with("email", normaliser=Normaliser.TEXT),
    _with("email", normaliser=Normaliser.EMAIL_FOLDED),
    _with("email", unique=True, generic_above=None),
    _with("user_id", unique=False),
    _with("crm", role=Role.CONTACT_POINT),
    _with("crm", role=Role.DEVICE, unique=False),
    _but(blocked_values=frozenset({"u0", "a0", "a1", "e2@x.com"})),
    _but(traits={"name": Trait(name="name", spellings=("city",))}),
    _but(kinds={"alias": KindRules(links=False)}),
    _but(kinds={"cooccur": KindRules(links=False)}),
    _but(links_per_message=2),
    st.just(small_policy()),
    some_policy,
)
