"""Pages as Relay connections: `first` and `after`, edges with cursors that stay valid."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, cast

import msgspec
import orjson
import strawberry

from resolvers.errors import Code, refused
from resolvers.ids import url_safe

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


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    """One page of a list."""

    edges: list[Edge[T]] = strawberry.field(description="The elements in their order.")
    page_info: PageInfo = strawberry.field(description="Whether and from where to go on.")


@strawberry.type(description="One page of a list whose length is known.")
class CountedConnection(Connection[T], Generic[T]):
    """One page of a list whose length is known."""

    total_count: int = strawberry.field(description="How many there are in all.")


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


def counted_pages(kind: object) -> object:
    """The counted connection of a type made at run time."""
    return CountedConnection.__class_getitem__(kind)  # type: ignore[attr-defined]  # what `CountedConnection[kind]` calls


def one_more(first: int) -> int:
    """How many to read for a page of a size, to know whether there is more. Raises GraphQLError for a bad size."""
    if not 1 <= first <= MOST:
        raise refused(Code.FIRST_OUT_OF_RANGE, f"`first` is a number from 1 to {MOST}, not {first}")
    return first + 1


def page_of(
    found: Sequence[T], first: int, after: str | None, place: Callable[[T], tuple[object, ...]]
) -> Connection[T]:
    """The page of what was read by `one_more`. place: what the cursor remembers of an element."""
    edges = [_Placed(each, place) for each in found[:first]]
    return Connection(
        edges=cast("list[Edge[T]]", edges),
        page_info=cast("PageInfo", _Bounds(edges, len(found) > first, after is not None)),
    )


def counted_page_of(page: Connection[T], total_count: int) -> CountedConnection[T]:
    """A page with the length of the whole list."""
    return CountedConnection(edges=page.edges, page_info=page.page_info, total_count=total_count)


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
