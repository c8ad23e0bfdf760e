"""Anything by its global id: `node` and `nodes`."""

from asyncio import gather
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated

import strawberry

from graph.accounts import accounts_by_key
from graph.changes import changes_by_id
from graph.interactions import interactions_by_id
from graph.things import Campaign, Deal, Order, Product, Thing, Ticket, things_by_key
from identity.messages import MessageId
from resolvers.asking import Asking, Info
from resolvers.errors import Code, refused
from resolvers.finding import identifier_by_mint, profile_by_id
from resolvers.ids import Noun, global_id, node_in
from resolvers.paging import MOST
from resolvers.segments import segments_by_name

Id = Annotated[strawberry.ID, strawberry.argument(description="A global id, as any field `id` answers it.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(description="Global ids, at most 100.")]


async def node(info: Info, id: Id) -> object | None:  # noqa: A002 -- the schema's word
    """What has this id; None when there is no such thing any more."""
    return await _found(id, info.context)


async def nodes(info: Info, ids: Ids) -> Sequence[object | None]:
    """What has each of these ids, in their order; None for those that stand for nothing."""
    if len(ids) > MOST:
        raise refused(Code.TOO_MANY_VALUES, f"at most {MOST} ids, not {len(ids)}")
    return await gather(*(_found(each, info.context) for each in ids))


async def _found(text: str, context: Asking) -> object | None:
    noun, name = node_in(text)
    return await FINDERS[noun](name, context)


async def _profile(name: str, context: Asking) -> object | None:
    return await profile_by_id(global_id(Noun.PROFILE, name), context)


async def _identifier(name: str, context: Asking) -> object | None:
    return await identifier_by_mint(name, context)


async def _interaction(name: str, context: Asking) -> object | None:
    return await context.batching.ask(interactions_by_id, MessageId(name))


async def _account(name: str, context: Asking) -> object | None:
    return await context.batching.ask(accounts_by_key, name)


async def _segment(name: str, context: Asking) -> object | None:
    return await context.batching.ask(segments_by_name, name)


async def _change(name: str, context: Asking) -> object | None:
    return await context.batching.ask(changes_by_id, name)


def _thing(kind: type[Thing]) -> Callable[[str, Asking], Awaitable[object | None]]:
    async def find(name: str, context: Asking) -> object | None:
        return await context.batching.ask(things_by_key, name, kind)

    return find


FINDERS: Mapping[Noun, Callable[[str, Asking], Awaitable[object | None]]] = {
    Noun.PROFILE: _profile,
    Noun.IDENTIFIER: _identifier,
    Noun.INTERACTION: _interaction,
    Noun.ACCOUNT: _account,
    Noun.SEGMENT: _segment,
    Noun.CHANGE: _change,
    Noun.ORDER: _thing(Order),
    Noun.PRODUCT: _thing(Product),
    Noun.DEAL: _thing(Deal),
    Noun.TICKET: _thing(Ticket),
    Noun.CAMPAIGN: _thing(Campaign),
}
