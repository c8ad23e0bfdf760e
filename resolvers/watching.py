"""A person whom somebody listens for, through merges and splits, as long as she is seen."""

from dataclasses import dataclass

from graphql import GraphQLError

from graph.feed import Entry, Members, members_of
from graph.profiles import profiles_by_id
from identity.identifiers import IdentifierKey
from resolvers.asking import Asking
from resolvers.errors import Code
from resolvers.identifiers import key_named
from resolvers.lookups import ProfileLookup, anchor_key, unknown
from resolvers.rows import is_seen


@dataclass(slots=True)
class Watched:
    """A person somebody listens for: whoever has this identifier now, also after merges and splits.

    Who is restricted to accounts hears of her only while she is seen, which is looked at anew for each event: somebody
    who belongs to them no longer is as if she were unknown.
    """

    key: IdentifierKey
    members: Members | None = None

    async def renew(self, context: Asking) -> None:
        """Read who it is now."""
        self.members = (await members_of(context.world.reader, [self.key])).get(self.key)

    async def touched(self, context: Asking, entry: Entry) -> frozenset[str]:
        """The mints by which she is known, those of before and of now; none when the entry is not about her.

        Somebody who is unknown yet may arrive with each change.
        """
        if self.members is None and not entry.changes:
            return frozenset()
        before = self.members.mints if self.members else frozenset()
        if self.members and not entry.everyone and before.isdisjoint(entry.touched):
            return frozenset()
        await self.renew(context)
        after = self.members.mints if self.members else frozenset()
        mints = before | after if before or not after.isdisjoint(entry.touched) else frozenset[str]()
        return mints if mints and await self.is_seen(context) else frozenset()

    async def is_seen(self, context: Asking) -> bool:
        """Whether who listens may hear of her now."""
        if not context.viewer.accounts:
            return True
        found = await context.batching.ask(profiles_by_id, self.members.profile) if self.members else None
        return found is not None and await is_seen(found, context)


async def watched_for(context: Asking, by: ProfileLookup) -> Watched:
    """Raises GraphQLError for an id that is unknown or erased; an identifier may be unknown yet.

    An id of somebody who is not seen is as unknown.
    """
    key = await key_named(by.identifier, context) if by.identifier else await _key_of_id(by, context)
    watched = Watched(key)
    await watched.renew(context)
    if by.id and not await watched.is_seen(context):
        raise unknown(by)
    return watched


async def _key_of_id(by: ProfileLookup, context: Asking) -> IdentifierKey:
    try:
        return await anchor_key(by, context)
    except GraphQLError as error:
        if context.viewer.accounts and (error.extensions or {}).get("code") == Code.ERASED.value:
            raise unknown(by) from None  # who had it is not known here
        raise
