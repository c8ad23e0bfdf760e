"""Global ids: which type of the schema a stored value is shown as, and the id under which `node` finds it again."""

import base64
import binascii
from collections.abc import Callable, Mapping
from enum import StrEnum
from operator import attrgetter

from graph.accounts import Account
from graph.identifiers import StoredIdentifier
from graph.interactions import Interaction
from graph.profiles import Profile
from graph.segments import StoredSegment
from graph.things import Campaign, Deal, Order, Product, Ticket
from insight.changes import Change, shape_of
from insight.interactions import Names
from resolvers.errors import Code, refused


class Noun(StrEnum):
    """The first half of a global id."""

    PROFILE = "Profile"
    IDENTIFIER = "Identifier"
    INTERACTION = "Interaction"
    ACCOUNT = "Account"
    SEGMENT = "Segment"
    CHANGE = "Change"
    ORDER = "Order"
    PRODUCT = "Product"
    DEAL = "Deal"
    TICKET = "Ticket"
    CAMPAIGN = "Campaign"


# The noun of each kind of stored value, and the field that is unique among its like.
NAMED_BY: Mapping[type, tuple[Noun, str]] = {
    Profile: (Noun.PROFILE, "id"),
    StoredIdentifier: (Noun.IDENTIFIER, "mint"),
    Interaction: (Noun.INTERACTION, "id"),
    Account: (Noun.ACCOUNT, "key"),
    StoredSegment: (Noun.SEGMENT, "name"),
    Change: (Noun.CHANGE, "id"),
    Order: (Noun.ORDER, "key"),
    Product: (Noun.PRODUCT, "key"),
    Deal: (Noun.DEAL, "key"),
    Ticket: (Noun.TICKET, "key"),
    Campaign: (Noun.CAMPAIGN, "key"),
}


FOR_ADDRESSES = bytes.maketrans(b"+/", b"-_")


def global_id(noun: Noun, name: str) -> str:
    """An opaque id that is the same for ever: base64 of noun and name, safe in a URL."""
    return url_safe(f"{noun.value}:{name}".encode())


def global_id_of(value: object) -> str:
    """The global id of a stored value."""
    prefix, read = NAMERS.get(type(value)) or NAMERS.setdefault(type(value), _namer(value))
    return url_safe((prefix + read(value)).encode())


def _namer(value: object) -> tuple[str, Callable[[object], str]]:
    noun, field = _named_by(value)
    return f"{noun.value}:", attrgetter(field)


NAMERS: dict[type, tuple[str, Callable[[object], str]]] = {}  # what NAMED_BY says, ready for each type that was met


def url_safe(value: bytes) -> str:
    """Base64 for addresses, without padding: what `base64.urlsafe_b64encode` makes, in a third of its time."""
    return binascii.b2a_base64(value, newline=False).translate(FOR_ADDRESSES, b"=").decode()


def named_in(text: str) -> tuple[Noun, str] | None:
    """The noun and the name in a global id; None when it is none."""
    try:
        noun, colon, name = (
            base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode().partition(":")
        )
    except (binascii.Error, ValueError):
        return None
    if not colon or noun not in frozenset(Noun):
        return None
    return Noun(noun), name


def node_in(text: str) -> tuple[Noun, str]:
    """The noun and the name in a global id. Raises GraphQLError `bad_id`."""
    named = named_in(text)
    if named is None:
        raise refused(Code.BAD_ID, f"`{text[:80]}` is no id of this service")
    return named


def type_name_of(value: object, names: Names) -> str:
    """The schema's type as which a stored value is shown; identifiers, interactions and changes have one by kind."""
    if isinstance(value, Interaction):
        return names.kind_of(value.type, value.name)
    if isinstance(value, Change):
        return shape_of(value.kind)
    if isinstance(value, StoredIdentifier):
        return value.role
    return _named_by(value)[0].value


def _named_by(value: object) -> tuple[Noun, str]:
    return NAMED_BY.get(type(value)) or next(named for kind, named in NAMED_BY.items() if isinstance(value, kind))
