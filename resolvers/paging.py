"""Pages as Relay connections: `first` and `after`, edges with cursors that stay valid."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Protocol, TypeVar, cast

import msgspec
import orjson
import strawberry

from graph.counting import Counted
from resolvers.errors import Code, refused
from resolvers.ids import url_safe

Counting = Callable[[], Awaitable[Counted]]
T = TypeVar("T")
P = TypeVar("P")

USUAL, MOST = 20, 100

First = Annotated[int, strawberry.argument(description="How many at most, from 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="The cursor after which the page begins.")]
Micros = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(description="Whether the page began after a cursor.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge: the next page's `after`.")


@strawberry.type(description="One element of a page.")
class Edge(Generic[T]):
    """One element of a page."""

    node: T = strawberry.field(description="The element.")
    cursor: str = strawberry.field(description="Its place in the list; opaque, and valid for ever.")


class Page(Protocol):
    """What is shown as a connection. count: how long the whole list is; None where it would cost more than the list."""

    @property
    def count(self) -> Counting | None:
        """How long the whole list is."""
        ...


async def _total_count(parent: strawberry.Parent[Page]) -> int | None:
    return None if parent.count is None else (await parent.count()).number


async def _is_capped(parent: strawberry.Parent[Page]) -> bool | None:
    return None if parent.count is None else (await parent.count()).capped


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    """One page of a list."""

    edges: list[Edge[T]] = strawberry.field(description="The elements in their order.")
    page_info: PageInfo = strawberry.field(description="Whether and from where to go on.")
    total_count: int | None = strawberry.field(
        resolver=_total_count,
        description="How many there are in all, as far as 10,000; counted only when asked. Null where nobody counts.",
    )
    total_count_capped: bool | None = strawberry.field(
        resolver=_is_capped, description="Whether counting stopped, so that there are at least so many."
    )
    count: strawberry.Private[Counting | None] = None


class _Placed(Generic[T]):
    """An edge whose cursor is made when it is asked for: most callers take the last one's."""

    __slots__ = ("_place", "node")

    def __init__(self, node: T, place: Callable[[T], tuple[object, ...]]) -> None:
        self.node = node
        self._place = place

    @property
    def cursor(self) -> str:
        return cursor_of(self._place(self.node))


@dataclass(frozen=True, slots=True)
class _Bounds:
    """A PageInfo that makes its cursors when they are asked for."""

    edges: Sequence[_Placed[Any]]
    has_next_page: bool
    has_previous_page: bool

    @property
    def start_cursor(self) -> str | None:
        return self.edges[0].cursor if self.edges else None

    @property
    def end_cursor(self) -> str | None:
        return self.edges[-1].cursor if self.edges else None


def pages(kind: object) -> object:
    """The connection of a type made at run time."""
    return Connection.__class_getitem__(kind)  # type: ignore[attr-defined]  # what `Connection[kind]` calls


def all_counted(total: int) -> Counting:
    """The length of a list that is known already."""

    async def count() -> Counted:
        return Counted(total)

    return count


def counting(found: Callable[[], Awaitable[Counted | None]]) -> Counting:
    """The length of a list that a reading function counts; 0 of what is unknown."""

    async def count() -> Counted:
        return await found() or Counted(0)

    return count


def one_more(first: int) -> int:
    """How many to read for a page of a size, to know whether there is more. Raises GraphQLError for a bad size."""
    if not 1 <= first <= MOST:
        raise refused(Code.FIRST_OUT_OF_RANGE, f"`first` is a number from 1 to {MOST}, not {first}")
    return first + 1


def page_of(
    found: Sequence[T],
    first: int,
    after: str | None,
    place: Callable[[T], tuple[object, ...]],
    count: Counting | None = None,
) -> Connection[T]:
    """The page of what was read by `one_more`. place: what the cursor remembers of an element. count: if asked."""
    edges = [_Placed(each, place) for each in found[:first]]
    return Connection(
        edges=cast("list[Edge[T]]", edges),
        page_info=cast("PageInfo", _Bounds(edges, len(found) > first, after is not None)),
        count=count,
    )


def stopped_at(page: Connection[T], end: tuple[object, ...] | None, after: str | None) -> Connection[T]:
    """A page that stopped before it was full, since it passed over too much: the next one goes on at `end`, if any."""
    if end is not None:
        start = page.edges[0].cursor if page.edges else None
        page.page_info = PageInfo(
            has_next_page=True, has_previous_page=after is not None, start_cursor=start, end_cursor=cursor_of(end)
        )
    return page


def cursor_of(place: tuple[object, ...]) -> str:
    """An opaque text that holds a place: base64 of its JSON."""
    return url_safe(orjson.dumps(place))


def place_in(after: str | None, kind: type[P]) -> P | None:
    """The place in a cursor, None for none. kind: the tuple that the list's cursors hold. Raises GraphQLError."""
    if after is None:
        return None
    try:
        text = base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(text, type=kind)
    except (binascii.Error, ValueError) as error:
        raise refused(Code.BAD_CURSOR, f"`{after[:80]}` is no cursor of this list") from error
