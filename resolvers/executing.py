"""The schema as graphql-core executes it, without what Strawberry puts between a field and a plain attribute.

Strawberry's own `execute` parses and validates anew for each request and starts its extensions; its resolver of a
plain field is five calls deep, and a page of twenty interactions has 160 of them.
"""

from asyncio import Future
from collections.abc import Callable, Mapping
from inspect import isawaitable
from types import CoroutineType
from typing import Any, TypeGuard, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    is_leaf_type,
)
from graphql.execution import Executor, execute
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path

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


Leaf = Callable[[object], object]


def _leaves(made: GraphQLSchema) -> Mapping[tuple[str, str], Leaf]:
    """How to answer each plain field of a scalar or an enum, by type and field."""
    kinds = (kind for kind in made.type_map.values() if isinstance(kind, GraphQLObjectType))
    return {
        (kind.name, name): _leaf(ours.python_name, field.type)
        for kind in kinds
        if not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if (ours := field.extensions["strawberry-definition"]).is_basic_field and _is_leaf(field.type)
    }


def _is_leaf(kind: GraphQLOutputType) -> bool:
    return is_leaf_type(kind.of_type if isinstance(kind, GraphQLNonNull) else kind)


def _leaf(name: str, kind: GraphQLOutputType) -> Leaf:
    """Raises for what graphql-core has to report as an error."""
    plain, coerced = _plain(name), cast("GraphQLLeafType", get_named_type(kind)).coerce_output_value
    needed = isinstance(kind, GraphQLNonNull)

    def answer(source: object) -> object:
        value = plain(source, None)
        if value is None and not needed:
            return None
        answered = coerced(value)
        if answered is None or answered is Undefined:
            raise TypeError(name)
        return answered

    return answer


LEAVES = _leaves(EXECUTABLE)


class LeanExecutor(Executor[Any]):
    """graphql-core's executor with a short way for plain leaves, which are five fields of six in a page."""

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,  # noqa: ANN401 -- as graphql-core has it
        field_details_list: list[FieldDetails],
        path: Path,
        position_context: Any,  # noqa: ANN401 -- as graphql-core has it
    ) -> Any:  # noqa: ANN401 -- as graphql-core has it
        """The value of a field; whatever is not plain sailing goes graphql-core's own way, errors too."""
        leaf = LEAVES.get((parent_type.name, field_details_list[0].node.name.value))
        if leaf is not None:
            try:
                return leaf(source)
            except Exception:  # noqa: BLE001, S110 -- graphql-core meets it again below, and reports it
                pass
        return super().execute_field(parent_type, source, field_details_list, path, position_context)


def _is_awaitable(value: object) -> TypeGuard[Any]:
    """Resolvers here answer coroutines and futures; graphql-core asks three times for each field."""
    return isinstance(value, CoroutineType | Future)


async def executed(
    document: DocumentNode,
    variables: Mapping[str, object],
    operation: str | None,
    context: Asking,
    executor: type[Executor[Any]] = LeanExecutor,
) -> ExecutionResult:
    """The result of an operation of a valid document; errors are in it."""
    result = execute(
        EXECUTABLE,
        document,
        context_value=context,
        variable_values=dict(variables),
        operation_name=operation,
        executor_class=executor,
        is_awaitable=_is_awaitable,
    )
    return await result if isawaitable(result) else result
