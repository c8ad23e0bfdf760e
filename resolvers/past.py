"""Profiles as of a past moment: found, and read field by field.

Whatever is reached from such a profile is of the past as well. A field whose past nobody kept is refused by its name,
never answered with the present: what may be answered stands in one table, and every other field refuses.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import cast

from graphql import GraphQLError
from msgspec.structs import asdict

from graph.accounts import Account as StoredAccount
from graph.belonging import Membership as StoredMembership
from graph.identifiers import StoredIdentifier, identifiers_by_key
from graph.interactions import Interaction as StoredInteraction
from graph.interactions import InteractionFilter as Wanted
from graph.interactions import TimeOrder
from graph.past import PastIdentifier, PastPerson, View, person_by_id, person_by_key
from graph.past_hearing import Asked, Rules
from graph.past_memberships import memberships_then, place_of
from graph.past_timeline import PastPage, timeline_then
from graph.past_traits import observations_then
from graph.policies import policies_at
from graph.profiles import Profile as StoredProfile
from identity.identifiers import IdentifierKey, ProfileId
from insight.changes import Change
from insight.traits import ExplainedTrait, explained_traits
from resolvers.asking import Asking
from resolvers.changes import Which as Changes
from resolvers.changes import about
from resolvers.errors import Code, refused
from resolvers.identifiers import IdentifierLookup, key_named
from resolvers.lookups import ProfileLookup, profile_id_named, standing_for
from resolvers.paging import Connection, Micros, all_counted, one_more, page_of, place_in


class Past:
    """Marks a value as one of the past, so that what is reached from it is, too."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class PastProfile(StoredProfile, Past):
    """A person as of a moment. asked: the id by which she was asked for, if by one."""

    view: View
    person: PastPerson
    asked: str | None = field(default=None)


class PastKey(str, Past):
    """The key of an identifier that is named in the past."""

    __slots__ = ()


class PastShownIdentifier(StoredIdentifier, Past):
    """An identifier as it was known; when it was last seen and who shared it then nobody kept."""

    __slots__ = ()


class PastInteraction(StoredInteraction, Past, frozen=True):
    """An interaction that was known."""


class PastAccount(StoredAccount, Past):
    """An account to which somebody belonged; what was said of it then nobody kept."""

    __slots__ = ()


class PastMembership(StoredMembership, Past):
    """That somebody belonged to an account."""

    __slots__ = ()


INTERACTION = frozenset(
    {"id", "at", "ownTime", "receivedAt", "type", "name", "channel", "source", "actor"}
    | {"properties", "traits", "context", "identifiers", "warnings"}
)
IDENTIFIER = frozenset({"id", "namespace", "value", "firstSeen", "generic"})

# What is answered of the past, by type and field. Every other field of these types refuses.
ANSWERED: Mapping[str, frozenset[str]] = {
    "Profile": frozenset(
        {"id", "known", "shared", "pending", "firstSeen", "lastSeen", "redirectedFrom", "traits", "trait", "consents"}
        | {"identifiers", "devices", "contacts", "contactPoints", "accounts", "interactions", "history"}
    ),
    "Contact": IDENTIFIER,
    "Device": IDENTIFIER,
    "ContactPoint": IDENTIFIER,
    "IdentifierName": frozenset({"namespace", "value"}),
    "Interaction": INTERACTION,
    "PageView": INTERACTION | {"url", "path", "title", "referrer", "search"},
    "ScreenView": INTERACTION | {"screen"},
    "TrackEvent": INTERACTION,
    "OrderEvent": INTERACTION | {"total", "currency", "lines"},
    "TicketEvent": INTERACTION,
    "Message": INTERACTION | {"subject", "text", "medium", "direction"},
    "Meeting": INTERACTION | {"meetingName", "startsAt", "endsAt", "status"},
    "FormSubmission": INTERACTION | {"form", "answers"},
    "Payment": INTERACTION | {"amount", "refunded", "method", "status"},
    "SensorReading": INTERACTION | {"metric", "value", "unit"},
    "IdentifyEvent": INTERACTION,
    "GroupEvent": INTERACTION | {"role"},
    "AliasEvent": INTERACTION | {"previousId"},
    "Membership": frozenset({"account", "role", "source", "since", "lastSeen", "history"}),
    "Account": frozenset({"id", "namespace", "value"}),
}

Resolve = Callable[..., object]


def tensed(kind: str, name: str, resolve: Resolve) -> Resolve:
    """A resolver that refuses where it would answer the past with the present."""
    if kind not in ANSWERED or name in ANSWERED[kind]:
        return resolve

    def guarded(source: object, info: object, **arguments: object) -> object:
        if isinstance(source, Past):
            sentence = f"`{kind}.{name}` cannot be read as of a past moment: leave it out, or ask for today's"
            raise refused(Code.NOT_OF_THE_PAST, sentence, field=f"{kind}.{name}")
        return resolve(source, info, **arguments)

    return guarded


async def past_profile(context: Asking, by: ProfileLookup, view: View) -> PastProfile | None:
    """The profile that a lookup named then; None when it was not known then or not yet true, or is erased.

    Raises GraphQLError `erased` for the id of an erased identifier.
    """
    reader = context.world.reader
    if by.identifier:
        found = await _named_then(context, by.identifier, view)
        return _profile(found, view, None) if found else None
    asked = profile_id_named(by.id or "")
    found = await person_by_id(reader, asked, view, context.world.policy)
    if found is None and (now := await standing_for(asked, context)):
        found = await person_by_id(reader, now, view, context.world.policy)
    return _profile(found, view, asked if found.id != asked else None) if found else None


async def _named_then(context: Asking, asked: IdentifierLookup, view: View) -> PastPerson | None:
    """Whose identifier it was as the policy of the moment reads it; else whom the id led to that it has today."""
    reader, policy = context.world.reader, context.world.policy
    then = None if view.as_of is None else await context.batching.ask(policies_at, view.as_of)
    key = await key_named(asked, context, then)
    found = await person_by_key(reader, key, view, policy)
    if found is not None or then is None or then.hash == policy.hash:
        return found
    with suppress(GraphQLError):  # by the policy of today it may name nobody
        now = await context.batching.ask(identifiers_by_key, await key_named(asked, context))
        return await person_by_id(reader, ProfileId(now.mint), view, policy) if now else None
    return None


def _profile(person: PastPerson, view: View, asked: str | None) -> PastProfile:
    return PastProfile(
        id=person.id,
        known=person.known,
        shared=person.shared,
        first_seen=person.first_seen,
        last_seen=person.last_seen,
        pending=person.pending,
        view=view,
        person=person,
        asked=asked,
    )


def past_identifiers(profile: PastProfile) -> tuple[StoredIdentifier, ...]:
    """Its identifiers, first seen first."""
    return tuple(map(_identifier, profile.person.identifiers))


def _identifier(each: PastIdentifier) -> StoredIdentifier:
    """last_seen, shared_by: refused, so what stands there is never read."""
    return PastShownIdentifier(
        each.key, each.mint, each.namespace, each.value, each.role, each.first_seen, each.first_seen, each.generic, 0
    )


async def past_traits(context: Asking, profile: PastProfile) -> Mapping[str, ExplainedTrait]:
    """What it showed, by name, with all that was said, chosen by the policy that was in force then."""
    asked = await _asked(context, profile)
    observed = await context.batching.ask(observations_then, asked)
    return explained_traits(observed or (), asked.rules.then)


async def past_memberships(
    context: Asking, profile: PastProfile, first: int, after: str | None
) -> Connection[StoredMembership]:
    """A page of the accounts to which it belonged, by the keys that these went by."""
    most, (last,) = one_more(first), place_in(after, tuple[str]) or ("",)
    found = await context.batching.ask(memberships_then, await _asked(context, profile)) or {}
    all_: list[StoredMembership] = [PastMembership(_account(key), said, place_of(said)) for key, said in found.items()]
    shown = [each for each in all_ if each.place > last][:most]
    return page_of(shown, first, after, lambda each: (each.place,), all_counted(len(found)))


async def _asked(context: Asking, profile: PastProfile) -> Asked:
    """What was said is read once for a profile and a moment, whatever fields ask."""
    now, as_of = context.world.policy, profile.view.as_of
    then = None if as_of is None else await context.batching.ask(policies_at, as_of)
    return Asked(profile.person.keys, profile.view, Rules(now, then or now))


def _account(key: str) -> StoredAccount:
    """What was said of it is refused, so what stands there is never read."""
    namespace, _, value = key.partition(":")
    return PastAccount(key, namespace, value, None, None, None, 0, 0)


@dataclass(frozen=True, slots=True)
class Which:
    """Which interactions, in which order."""

    wanted: Wanted
    order: TimeOrder


async def past_timeline(
    context: Asking, profile: PastProfile, first: int, after: str | None, which: Which
) -> Connection[StoredInteraction]:
    """A page of what its identifiers had done, in their order."""
    if profile.shared:
        sentence = (
            "`Profile.interactions` of a shared identifier cannot be read as of a past moment: whose it was is lost"
        )
        raise refused(Code.NOT_OF_THE_PAST, sentence, field="Profile.interactions")
    page = PastPage(one_more(first), place_in(after, tuple[Micros, str]), which.wanted, which.order)
    found = await timeline_then(context.world.reader, profile.person.keys, profile.view, page)
    return page_of([_interaction(each) for each in found], first, after, lambda each: (each.at, each.id))


def _interaction(each: StoredInteraction) -> StoredInteraction:
    return PastInteraction(**{**asdict(each), "actor": cast("IdentifierKey", PastKey(each.actor))})


async def past_history(
    context: Asking, profile: PastProfile, first: int, after: str | None, which: Changes
) -> Connection[Change]:
    """A page of the changes about its identifiers that are wanted, up to the moment, in their order."""
    known = replace(which.wanted, until=min(which.wanted.until, profile.view.recorded))
    return await about(context, profile.person.keys, first, after, replace(which, wanted=known))
