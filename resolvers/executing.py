"""The schema as graphql-core executes it, without what Strawberry puts between a field and a plain attribute.

Strawberry's own `execute` parses and validates anew for each request and starts its extensions; its resolver of a
plain field is five calls deep, and a page of twenty interactions has 160 of them.
"""

from asyncio import Future
from collections.abc import Callable, Mapping
from inspect import isawaitable
from types import CoroutineType
from typing import Any, TypeGuard

from graphql import DocumentNode, ExecutionResult, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from graphql.execution import Executor, execute

from resolvers.asking import Asking
from resolvers.nodes import shown
from resolvers.schema import schema


def _lean(made: GraphQLSchema) -> GraphQLSchema:
    for kind in made.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            for field in kind.fields.values():
                ours = field.extensions["strawberry-definition"]
                if ours.is_basic_field:
                    field.resolve = _plain(ours.python_name)
    return made


def _plain(name: str) -> Callable[..., object]:
    if name == "global_id":
        return lambda source, _info: shown(source, name)
    return lambda source, _info: getattr(source, name)


EXECUTABLE = _lean(schema._schema)  # noqa: SLF001 -- Strawberry has no public name for it


def _is_awaitable(value: object) -> TypeGuard[Any]:
    """Resolvers here answer coroutines and futures; graphql-core asks three times for each field."""
    return isinstance(value, CoroutineType | Future)


async def executed(
    document: DocumentNode, variables: Mapping[str, object], operation: str | None, context: Asking
) -> ExecutionResult:
    """The result of an operation of a valid document; errors are in it."""
    result = execute(
        EXECUTABLE,
        document,
        context_value=context,
        variable_values=dict(variables),
        operation_name=operation,
        executor_class=Executor,
        is_awaitable=_is_awaitable,
    )
    return await result if isawaitable(result) else result
