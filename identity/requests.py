"""Requests about what is known of somebody, which a source passes on: to erase it, or to hand it out."""

from dataclasses import dataclass
from enum import StrEnum

from identity.identifiers import Identifier, IdentifierKey, normalise
from identity.messages import SourceName
from identity.policy import Policy


class Wish(StrEnum):
    """What is asked for."""

    ERASURE = "erasure"
    ACCESS = "access"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a source passes it on.

    id: by which a repeat is known, unique within the source. namespace, value: whose record it is about, as the source
    writes it. whole: it is about every record whose value begins so, as all customers of a shop.
    """

    source: SourceName
    id: str
    wish: Wish
    namespace: str
    value: str
    whole: bool = False


def key_asked(asked: Asked, policy: Policy) -> IdentifierKey:
    """The identifier that a request is about, or the beginning of all that it is about.

    Of a value that names nobody, since it is blocked, the text stands for itself: nothing is known under it.
    """
    read = None if asked.whole else normalise(asked.namespace, asked.value, policy)
    return read.key if isinstance(read, Identifier) else IdentifierKey(f"{asked.namespace}:{asked.value.strip()}")
