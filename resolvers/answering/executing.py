"""Executing an operation: by its plan where that answers it, else by graphql-core."""

from asyncio import Future
from collections.abc import Mapping
from inspect import isawaitable
from types import CoroutineType
from typing import Any, TypeGuard

from graphql import DocumentNode, ExecutionResult, GraphQLSchema
from graphql.execution import execute

from resolvers.answering.fields import EXECUTABLE
from resolvers.answering.plans import Planned, answer_of
from resolvers.asking import Asking


def _is_awaitable(value: object) -> TypeGuard[Any]:
    """Resolvers here answer coroutines and futures; graphql-core asks three times for each field."""
    return isinstance(value, CoroutineType | Future)


async def executed(
    document: DocumentNode,
    variables: Mapping[str, object],
    operation: str | None,
    context: Asking,
    plans: Planned | None = None,
    guarded: GraphQLSchema | None = None,
) -> ExecutionResult:
    """The result of an operation of a valid document; errors are in it.

    plans: of that operation, where it has some. guarded: the schema of who does not see all.
    """
    if plans is not None and plans.again():
        data = await answer_of(plans, variables, context, guarded=guarded is not None)
        if data is not None:
            return ExecutionResult(data, None)
    result = execute(
        guarded or EXECUTABLE,
        document,
        context_value=context,
        variable_values=dict(variables),
        operation_name=operation,
        is_awaitable=_is_awaitable,
    )
    return await result if isawaitable(result) else result
