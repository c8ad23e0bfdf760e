"""Sources: where records come from, and how far they are believed."""

from dataclasses import dataclass, field

from identity.messages import Authority, SourceName
from identity.policy import Namespace
from insight.interactions import Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where records come from.

    authority: how far its statements are believed, where a mapping says nothing else of an identifier.
    region: two letters, for phone numbers without a country. namespaces: those that it declares beside the policy's.
    kinds: of which kind its interactions are whose names are its own.
    user_secrets: what its user ids may be signed with. requires_signature: whether one that is not, and a contact point
    that nobody vouches for, links nothing.
    """

    name: SourceName
    authority: Authority = Authority.CLAIMED
    region: str | None = None
    namespaces: tuple[Namespace, ...] = ()
    kinds: Named = ()
    user_secrets: tuple[str, ...] = field(default=(), repr=False)
    requires_signature: bool = False
