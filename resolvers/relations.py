"""Relations: how two people are connected, and what lies around one of them, an account or a thing, for drawing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import strawberry

from graph.accounts import accounts_by_key
from graph.identifiers import identifiers_by_key, identifiers_by_mint
from graph.profiles import profiles_by_id, profiles_by_identifier
from graph.relating import Connected, connected, neighbourhood_of
from graph.relations import names_of
from graph.things import Campaign, Deal, Order, Product, Ticket, things_by_key
from graph.things import Thing as StoredThing
from identity.identifiers import IdentifierKey, ProfileId
from insight.relations import Kind, Thing, sentence_of_tie, sentence_of_way
from insight.relations import Tie as StoredTie
from insight.relations import Way as StoredWay
from resolvers.accounts import AccountKey, AccountLookup, account_key
from resolvers.asking import Asking, Info
from resolvers.errors import Code, refused
from resolvers.finding import profile_by_id
from resolvers.identifiers import IdentifierLookup, key_named
from resolvers.ids import NAMED_BY, Noun, node_in
from resolvers.lookups import ProfileLookup
from resolvers.nodes import Node, resolved
from resolvers.things import ThingKey, ThingLookup, thing_key

MOST_HOPS, USUAL_HOPS = 6, 4
MOST_PATHS, USUAL_PATHS = 20, 5
FARTHEST, USUAL_DISTANCE = 4, 2
MOST_DRAWN, USUAL_DRAWN = 500, 100


@strawberry.enum(description="What a thing among relations is.")
class RelatedKind(Enum):
    """What a thing among relations is; the values are those of insight/relations.py."""

    PROFILE = strawberry.enum_value("profile", description="A person.")
    IDENTIFIER = strawberry.enum_value("identifier", description="An identifier; among paths one that several share.")
    ACCOUNT = strawberry.enum_value("account", description="An organisation.")
    ORDER = strawberry.enum_value("order", description="An order.")
    DEAL = strawberry.enum_value("deal", description="A deal of an account.")
    TICKET = strawberry.enum_value("ticket", description="A ticket.")
    PRODUCT = strawberry.enum_value("product", description="A product; in neighbourhoods alone.")
    CAMPAIGN = strawberry.enum_value("campaign", description="A campaign; in neighbourhoods alone.")


@strawberry.enum(description="Why two things belong together; what says most comes first.")
class TieKind(Enum):
    """Why two things belong together; the values are those of insight/relations.py."""

    IDENTIFIES = strawberry.enum_value("identifies", description="An identifier of the person.")
    MEMBER_OF = strawberry.enum_value("member_of", description="The person belongs to the account.")
    PART_OF = strawberry.enum_value("part_of", description="The account is part of the other.")
    DEAL_OF = strawberry.enum_value("deal_of", description="The deal is of the account.")
    FOR_ACCOUNT = strawberry.enum_value("for_account", description="The order or ticket is for the account.")
    CONTAINS = strawberry.enum_value("contains", description="The order has the product in it.")
    ABOUT = strawberry.enum_value("about", description="The person had to do with the order, or whatever it is.")
    TOLD_WITH = strawberry.enum_value(
        "told_with",
        description="One event told of both: of an order, a deal or a ticket, and of another thing.",
    )
    SHARES_CONTACT_POINT = strawberry.enum_value(
        "shares_contact_point", description="The person uses an email address or a phone that several people share."
    )
    REFUSED_LINK = strawberry.enum_value(
        "refused_link", description="Identifiers of the two were met together, which a rule refused to call one person."
    )
    SHARES_DEVICE = strawberry.enum_value("shares_device", description="The person uses a device that several share.")
    SHARES_IDENTIFIER = strawberry.enum_value(
        "shares_identifier", description="The person uses another identifier that several share."
    )


@dataclass(frozen=True, slots=True)
class NamedThing:
    """A thing with what it is called. hops: how far it is from where the search began."""

    thing: Thing
    label: str
    hops: int

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return _key(self.thing)

    @property
    def kind(self) -> RelatedKind:
        """What it is."""
        return RelatedKind(self.thing.kind.value)


def _key(thing: Thing) -> str:
    return f"{thing.kind.value}:{thing.name}"


@dataclass(frozen=True, slots=True)
class NamedTie:
    """A tie with its sentence."""

    tie: StoredTie
    sentence: str

    @property
    def kind(self) -> TieKind:
        """Why the two belong together."""
        return TieKind(self.tie.kind.value)

    @property
    def a(self) -> str:
        """The key of one end."""
        return _key(self.tie.a)

    @property
    def b(self) -> str:
        """The key of the other end."""
        return _key(self.tie.b)


THINGS: Mapping[Kind, type[StoredThing]] = {
    Kind.ORDER: Order,
    Kind.DEAL: Deal,
    Kind.TICKET: Ticket,
    Kind.PRODUCT: Product,
    Kind.CAMPAIGN: Campaign,
}


async def _node(parent: strawberry.Parent[NamedThing], info: Info) -> object | None:
    batching, name = info.context.batching, parent.thing.name
    match parent.thing.kind:
        case Kind.PROFILE:
            return await batching.ask(profiles_by_id, ProfileId(name))
        case Kind.ACCOUNT:
            return await batching.ask(accounts_by_key, name)
        case Kind.IDENTIFIER:
            return await batching.ask(identifiers_by_key, IdentifierKey(name))
    return await batching.ask(things_by_key, name, THINGS[parent.thing.kind])


@strawberry.type(description="A person, an account, an identifier, an order or another thing among relations.")
class RelatedThing:
    """A thing among relations."""

    key: str = strawberry.field(description="What tells it from all others in this answer: its kind and its key.")
    kind: RelatedKind = strawberry.field(description="What it is.")
    label: str = strawberry.field(description="What to write beside it: a name, an address, a key.")
    hops: int = strawberry.field(description="How many hops it is from where the search began.")
    node: Node | None = resolved(_node, "The thing itself, where it has an id of its own.")


@strawberry.type(description="One reason why two things belong together.")
class Tie:
    """One reason why two things belong together."""

    a: str = strawberry.field(description="The `key` of one: the person, or the part of the whole.")
    b: str = strawberry.field(description="The `key` of the other.")
    kind: TieKind = strawberry.field(description="What kind of evidence it is.")
    sentence: str = strawberry.field(description="The reason in plain English.")


@strawberry.type(description="One way from one person to another.")
class RelationPath:
    """One way from one person to another."""

    hops: int = strawberry.field(description="How many hops it has; 0 where both are one person.")
    things: list[RelatedThing] = strawberry.field(description="What it passes, from the one to the other.")
    ties: list[Tie] = strawberry.field(description="The reason for each hop, in their order.")
    sentence: str = strawberry.field(description="The whole way in plain English.")


@strawberry.type(description="How two people are related.")
class Relation:
    """How two people are related."""

    paths: list[RelationPath] = strawberry.field(
        description="The ways, the best first: fewer hops, then kinds that say more, then by key."
    )
    left_out: list[RelatedThing] = strawberry.field(
        description="What has more than 200 ties and was therefore met but not followed."
    )
    complete: bool = strawberry.field(description="Whether no way is missing that should stand among these.")


@strawberry.type(description="What lies around a thing, for drawing.")
class Neighbourhood:
    """What lies around a thing."""

    nodes: list[RelatedThing] = strawberry.field(description="The thing and what is near it, the nearest first.")
    edges: list[Tie] = strawberry.field(description="What ties them to each other.")
    left_out: list[RelatedThing] = strawberry.field(
        description="What has more than 200 ties and was therefore met but not followed."
    )
    complete: bool = strawberry.field(description="Whether nothing within these hops is missing.")


@dataclass(frozen=True, slots=True)
class PathShown:
    """What is shown as a RelationPath."""

    hops: int
    things: Sequence[NamedThing]
    ties: Sequence[NamedTie]
    sentence: str


@dataclass(frozen=True, slots=True)
class RelationShown:
    """What is shown as a Relation."""

    paths: Sequence[PathShown]
    left_out: Sequence[NamedThing]
    complete: bool


@dataclass(frozen=True, slots=True)
class NeighbourhoodShown:
    """What is shown as a Neighbourhood."""

    nodes: Sequence[NamedThing]
    edges: Sequence[NamedTie]
    left_out: Sequence[NamedThing]
    complete: bool


@strawberry.input(one_of=True, description="Around what: one of these.")
class Around:
    """Around what."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The global id of a profile, an identifier, an account, an order, a deal, a ticket, a product or a "
        "campaign.",
    )
    identifier: IdentifierLookup | None = strawberry.field(
        default=strawberry.UNSET, description="The person whom this identifies, or what several people share."
    )
    account: AccountKey | None = strawberry.field(default=strawberry.UNSET, description="An account, by its key.")
    order: ThingKey | None = strawberry.field(default=strawberry.UNSET, description="An order, by its key.")
    deal: ThingKey | None = strawberry.field(default=strawberry.UNSET, description="A deal, by its key.")
    ticket: ThingKey | None = strawberry.field(default=strawberry.UNSET, description="A ticket, by its key.")
    product: ThingKey | None = strawberry.field(default=strawberry.UNSET, description="A product, by its key.")
    campaign: ThingKey | None = strawberry.field(default=strawberry.UNSET, description="A campaign, by its key.")


One = Annotated[ProfileLookup, strawberry.argument(name="from", description="One person.")]
Other = Annotated[ProfileLookup, strawberry.argument(name="to", description="The other person.")]
Hops = Annotated[int, strawberry.argument(description=f"How long a way may be, from 1 to {MOST_HOPS}.")]
Paths = Annotated[int, strawberry.argument(description=f"How many ways at most, from 1 to {MOST_PATHS}.")]
Of = Annotated[Around, strawberry.argument(description="Where to begin.")]
Distance = Annotated[int, strawberry.argument(description=f"How far, from 1 to {FARTHEST}.")]
Limit = Annotated[int, strawberry.argument(description=f"How many things at most, from 1 to {MOST_DRAWN}.")]


async def connection(
    info: Info, one: One, other: Other, max_hops: Hops = USUAL_HOPS, first: Paths = USUAL_PATHS
) -> RelationShown | None:
    """How two people are related; None when one of them is unknown. At most fourteen statements."""
    _check("maxHops", max_hops, MOST_HOPS)
    _check("first", first, MOST_PATHS)
    start, end = await _person(one, info.context), await _person(other, info.context)
    if start is None or end is None:
        return None
    found = await connected(info.context.world.reader, start, end, max_hops, first)
    things = {thing for way, _ in found.ways for thing in way} | set(found.left_out)
    names = await names_of(info.context.world.reader, sorted(things, key=lambda thing: thing.rank))
    return _relation(found, names)


def _relation(found: Connected, names: Mapping[Thing, str]) -> RelationShown:
    paths = [_path(way, ties, names) for way, ties in found.ways]
    return RelationShown(paths, [_named(each, names) for each in found.left_out], found.complete)


def _path(way: StoredWay, ties: Sequence[StoredTie], names: Mapping[Thing, str]) -> PathShown:
    things = [_named(thing, names, hops) for hops, thing in enumerate(way)]
    return PathShown(len(ties), things, _ties(ties, names), sentence_of_way(way, ties, names))


def _ties(ties: Sequence[StoredTie], names: Mapping[Thing, str]) -> list[NamedTie]:
    return [NamedTie(tie, sentence_of_tie(tie, names)) for tie in ties]


def _named(thing: Thing, names: Mapping[Thing, str], hops: int = 0) -> NamedThing:
    return NamedThing(thing, names[thing], hops)


async def neighbourhood(
    info: Info, of: Of, hops: Distance = USUAL_DISTANCE, limit: Limit = USUAL_DRAWN
) -> NeighbourhoodShown | None:
    """What lies around something; None when it is unknown."""
    _check("hops", hops, FARTHEST)
    _check("limit", limit, MOST_DRAWN)
    start = await _start(of, info.context)
    if start is None:
        return None
    reader = info.context.world.reader
    found = await neighbourhood_of(reader, start, hops, limit)
    names = await names_of(reader, [*found.hops, *found.left_out])
    nodes = [_named(thing, names, distance) for thing, distance in found.hops.items()]
    left_out = [_named(each, names, found.hops[each]) for each in found.left_out]
    return NeighbourhoodShown(nodes, _ties(found.ties, names), left_out, found.complete)


def _check(name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise refused(Code.TOO_MANY_VALUES, f"`{name}` is a number from 1 to {most}, not {value}")


async def _person(by: ProfileLookup, context: Asking) -> Thing | None:
    if by.identifier:
        found = await context.batching.ask(profiles_by_identifier, await key_named(by.identifier, context))
    else:
        found = await profile_by_id(by.id or "", context)
    return Thing(Kind.PROFILE, found.id) if found else None


async def _start(of: Around, context: Asking) -> Thing | None:
    if of.identifier:
        return await _person(ProfileLookup(identifier=of.identifier), context)
    if of.account:
        return await _account(account_key(AccountLookup(key=of.account)), context)
    for kind, stored in THINGS.items():
        if named := getattr(of, kind.value):
            return await _thing(thing_key(ThingLookup(key=named), stored), kind, context)
    return await _node_named(of, context)


async def _node_named(of: Around, context: Asking) -> Thing | None:
    noun, name = node_in(of.id or "")
    match noun:
        case Noun.PROFILE:
            return await _person(ProfileLookup(id=of.id), context)
        case Noun.ACCOUNT:
            return await _account(name, context)
        case Noun.IDENTIFIER:
            known = await context.batching.ask(identifiers_by_mint, name)
            return Thing(Kind.IDENTIFIER, known.key) if known else None
    for kind, stored in THINGS.items():
        if noun is NAMED_BY[stored][0]:
            return await _thing(name, kind, context)
    raise refused(Code.BAD_ID, f"around `{str(of.id)[:80]}` is nothing: give the id of a person, an account, a thing")


async def _thing(key: str, kind: Kind, context: Asking) -> Thing | None:
    """By itself: known to the loaders, it would be shown before the others, and what is asked of it read apart."""
    found = await things_by_key(context.world.reader, [key], THINGS[kind])
    return Thing(kind, found[key].key) if found else None


async def _account(key: str, context: Asking) -> Thing | None:
    found = await context.batching.ask(accounts_by_key, key)
    return Thing(Kind.ACCOUNT, found.key) if found else None
