"""Sources: where records come from, and how far they are believed."""

from dataclasses import dataclass

from identity.messages import Authority, SourceName
from identity.policy import Namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where records come from.

    authority: how far its statements are believed, where a mapping says nothing else of an identifier.
    region: two letters, for phone numbers without a country. namespaces: those that it declares beside the policy's.
    """

    name: SourceName
    authority: Authority = Authority.CLAIMED
    region: str | None = None
    namespaces: tuple[Namespace, ...] = ()
