"""The schema as graphql-core executes it, without what Strawberry puts between a field and a plain attribute.

Strawberry's own `execute` parses and validates anew for each request and starts its extensions; its resolver of a
plain field is five calls deep, and a page of twenty interactions has 160 of them.
"""

from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from inspect import isawaitable
from types import CoroutineType
from typing import Any, TypeGuard

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    Undefined,
    is_leaf_type,
)
from graphql.execution import Executor, execute
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path

from resolvers.asking import Asking
from resolvers.ids import type_name_of
from resolvers.nodes import shown
from resolvers.past import tensed
from resolvers.schema import schema


def lean(made: GraphQLSchema) -> GraphQLSchema:
    """A schema whose resolvers are called as directly as can be."""
    for kind in made.type_map.values():
        if isinstance(kind, GraphQLInputObjectType) and "strawberry-definition" in kind.extensions:
            kind.is_one_of = kind.extensions["strawberry-definition"].is_one_of  # which it prints and does not tell
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                ours = field.extensions["strawberry-definition"]
                resolve = _plain(ours.python_name) if ours.is_basic_field else field.resolve
                if resolve is not None:
                    field.resolve = tensed(kind.name, name, resolve)
    return made


def _plain(name: str) -> Callable[..., object]:
    if name == "global_id":
        return lambda source, _info: shown(source, name)
    return lambda source, _info: getattr(source, name)


EXECUTABLE = lean(schema._schema)  # noqa: SLF001 -- Strawberry has no public name for it


Answer = Callable[[object], object]


def _plain_fields(made: GraphQLSchema) -> Mapping[tuple[str, str], Callable[..., object]]:
    """How to read each field that is an attribute of the stored value, by type and field."""
    return {
        (kind.name, name): tensed(kind.name, name, _plain(ours.python_name))
        for kind in made.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if (ours := field.extensions["strawberry-definition"]).is_basic_field
    }


PLAIN = _plain_fields(EXECUTABLE)


class LeanExecutor(Executor[Any]):
    """graphql-core's executor with a short way for selections of plain fields: a page of a timeline is one of them.

    Such a selection is compiled once per request into nested functions that read attributes. Where one of them meets
    what is not plain sailing, graphql-core goes over the whole selection again, so that its errors are graphql-core's.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- as graphql-core has it
        super().__init__(*args, **kwargs)
        self._compiled: dict[int, Answer | None] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,  # noqa: ANN401 -- as graphql-core has it
        path: Path | None,
        grouped_field_set: dict[str, list[FieldDetails]],
        position_context: Any,  # noqa: ANN401 -- as graphql-core has it
    ) -> Any:  # noqa: ANN401 -- as graphql-core has it
        """The fields of an object; graphql-core keeps the set of fields of a selection as long as the request lives."""
        key = id(grouped_field_set)
        if key not in self._compiled:
            self._compiled[key] = self._object(parent_type, grouped_field_set)
        answer = self._compiled[key]
        if answer is not None:
            try:
                return answer(source_value)
            except Exception:  # noqa: BLE001, S110 -- graphql-core meets it again below, and reports it
                pass
        return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)

    def _object(self, kind: GraphQLObjectType, selected: dict[str, list[FieldDetails]]) -> Answer | None:
        """What answers a selection of plain fields; None when one of them is not plain."""
        parts: list[tuple[str, Answer]] = []
        for shown_as, details in selected.items():
            answer = self._field(kind, details)
            if answer is None:
                return None
            parts.append((shown_as, answer))
        return lambda source: {shown_as: answer(source) for shown_as, answer in parts}

    def _field(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> Answer | None:
        name = details[0].node.name.value
        if name == "__typename":
            return lambda _: kind.name
        read = PLAIN.get((kind.name, name))
        complete = self._value(kind.fields[name].type, details) if read else None
        if read is None or complete is None:
            return None
        return lambda source: complete(read(source, None))

    def _value(self, kind: GraphQLOutputType, details: list[FieldDetails]) -> Answer | None:
        """What makes an answer of a stored value of a type. It raises for what graphql-core has to report."""
        if isinstance(kind, GraphQLNonNull):
            inner = self._value(kind.of_type, details)
            return inner and (lambda value: _needed(inner(value)))
        answer: Answer | None = None
        if isinstance(kind, GraphQLList):
            item = self._value(kind.of_type, details)
            answer = item and (lambda values: [item(value) for value in _listed(values)])
        elif isinstance(kind, GraphQLObjectType):
            fields, deferred, _ = self.collect_subfields(kind, details)
            answer = None if deferred else self._object(kind, fields)
        elif isinstance(kind, GraphQLInterfaceType):
            answer = self._of_its_type(details)
        elif is_leaf_type(kind):
            coerced = kind.coerce_output_value
            answer = lambda value: _needed(coerced(value))  # noqa: E731 -- beside its two sisters
        return answer and (lambda value: None if value is None else answer(value))

    def _of_its_type(self, details: list[FieldDetails]) -> Answer:
        """What answers a value as the type that it is shown as; each type's own when the first value of it comes."""
        compiled: dict[str, Answer | None] = {}

        def answer(value: object) -> object:
            name = type_name_of(value)
            if name not in compiled:
                kind = EXECUTABLE.type_map[name]
                compiled[name] = self._value(kind, details) if isinstance(kind, GraphQLObjectType) else None
            shown_as = compiled[name]
            if shown_as is None:
                raise TypeError("not plain")
            return shown_as(value)

        return answer


def _needed(value: object) -> object:
    if value is None or value is Undefined:
        raise TypeError("null")
    return value


def _listed(values: object) -> Sequence[object]:
    if not isinstance(values, list | tuple):
        raise TypeError("no list")
    return values


def is_awaitable(value: object) -> TypeGuard[Any]:
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
        is_awaitable=is_awaitable,
    )
    return await result if isawaitable(result) else result
