"""How a mutation is done: once under the key that its caller chose, or only tried; told in the types of its union."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from hashlib import sha256
from typing import Annotated, Generic, TypeVar, cast

import orjson
import strawberry

from graph.connection import Transaction, Writer
from graph.idempotency import DoneBeforeError, Kept, OnceWriter, RehearsingWriter, done_before
from resolvers.asking import Asking
from resolvers.errors import Code, refused
from resolvers.problems import EXPECTED, Trouble, conflicting_key, expected, trouble_of
from resolvers.world import World

LONGEST_KEY = 200
A = TypeVar("A")
R = TypeVar("R")

IdempotencyKey = Annotated[
    str | None,
    strawberry.argument(
        description="A text of your own, 1 to 200 characters: the same again within 48 hours is answered, not done."
    ),
]
DryRun = Annotated[bool, strawberry.argument(description="Write nothing; answer what would be.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mutation as it was asked for. arguments: all that bears on what it does. dry: it is only tried."""

    mutation: str
    arguments: tuple[object, ...]
    key: str | None
    dry: bool


@dataclass(frozen=True, slots=True)
class Memory(Generic[R, A]):
    """How an answer is remembered and given again.

    remember: what there is to keep of the result of a unit of work, ids and mints alone; None where it is none to keep.
    recall: the answer, from what was kept.
    """

    remember: Callable[[Transaction, R], Awaitable[str | None]]
    recall: Callable[[Asking, str], Awaitable[A]]


async def done(
    context: Asking, wanted: Wanted, work: Callable[[World], Awaitable[A]], memory: Memory[R, A]
) -> A | Trouble:
    """The answer of a mutation, or the problem for which nothing was done. work: does it, with the doors given.

    What is no member of any union is raised. What was read before it is asked anew.
    """
    try:
        answer = await _done(context, wanted, work, memory)
    except EXPECTED as error:
        problem = expected(error)
        if problem is None:
            raise
        return problem
    finally:
        context.forget()
    return cast("A | Trouble", trouble_of(answer))


async def _done(context: Asking, wanted: Wanted, work: Callable[[World], Awaitable[A]], memory: Memory[R, A]) -> A:
    world, writer = context.world, context.world.writer
    doors = (writer.driver, writer.database, writer.bookmarked, writer.hear)
    if wanted.dry:
        return await work(replace(world, writer=RehearsingWriter(*doors)))
    if wanted.key is None:
        return await work(world)
    key, arguments = _hashes(context, wanted, wanted.key)
    kept = await done_before(world.reader, key)
    if kept is None:
        once: Writer = OnceWriter(*doors, key, arguments, context.micros, memory.remember)
        try:
            return await work(replace(world, writer=once))
        except DoneBeforeError as before:
            kept = before.kept
    return await _again(context, kept, arguments, memory)


async def _again(context: Asking, kept: Kept, arguments: str, memory: Memory[R, A]) -> A:
    if kept.arguments != arguments:
        raise conflicting_key()
    return await memory.recall(context, kept.outcome)


def _hashes(context: Asking, wanted: Wanted, key: str) -> tuple[str, str]:
    """The hash of the holder's key, and that of what is asked for, which nobody can try out without the key.

    With the key of the erasures, where there is one: what is asked for may name who is erased.
    """
    if not 0 < len(key) <= LONGEST_KEY:
        raise refused(Code.IDEMPOTENCY_KEY)
    mine = f"{context.viewer.name}\0{key}"
    asked = orjson.dumps([mine, wanted.mutation, _plain(wanted.arguments)], option=orjson.OPT_SORT_KEYS).decode()
    hashed = context.world.hashing.of_name if context.world.hashing else _hashed
    return hashed(f"idempotency\0{mine}"), hashed(f"arguments\0{asked}")


def _hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    """Arguments as JSON: what was left out is null, as in the defaults."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, Enum):
        return value.name
    if value is strawberry.UNSET or value is None:
        return None
    return value if isinstance(value, bool | int | float) else str(value)
