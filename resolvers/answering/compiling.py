"""Compiling an operation into nested functions: what is the same for every request with one document is asked once.

graphql-core asks anew, for each field of each value, what the field is, who resolves it and as what it is shown. Its
own code collects the fields here, so that fragments, merged fields and directives mean what they mean there.
"""

from asyncio import Future
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, groupby
from types import CoroutineType
from typing import Any, NamedTuple

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLUnionType,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails, collect_fields
from graphql.execution.values import VariableValues
from graphql.pyutils import Path
from strawberry.types.info import Info

from resolvers.answering.arguments import filling
from resolvers.answering.fields import ATTRIBUTES, CALLED, EXECUTABLE, NODES, OURS, PLAIN, converting
from resolvers.answering.leaves import Read, Written, leaf_of, needed, written
from resolvers.asking import Asking
from resolvers.ids import type_name_of
from resolvers.masking import Rule, masked, rule_of

Answer = Callable[[Any, "Run"], object]
Selected = Mapping[str, Sequence[FieldDetails]]


class UnplannedError(Exception):
    """A part of the operation that no plan covers. Never leaves this room."""


class Waiting(NamedTuple):
    """What a field waits for, and where it goes."""

    value: Awaitable[object]
    shown: dict[str, object]
    name: str
    complete: Answer


class Resolved(NamedTuple):
    """A field that a resolver answers; complete: makes the answer of what it says."""

    name: str
    resolve: Answer
    complete: Answer


class Told(NamedTuple):
    """What a resolver is told besides its source: graphql-core's info, Strawberry's around it, and the arguments.

    given: the same as graphql-core has them, before input types are made of them.
    """

    raw: GraphQLResolveInfo[Any]
    info: Info[Any, Any]
    arguments: dict[str, object]
    given: dict[str, object]


Tell = Callable[["Run"], Told]


@dataclass(slots=True)
class Run:
    """One execution of a plan. told: what each field is told, the same for every value."""

    context: Asking
    variables: VariableValues
    waiting: list[Waiting] = field(default_factory=list)
    told: dict[int, Told] = field(default_factory=dict)


def compiled(executor: Executor[Any], kind: GraphQLObjectType, *, guarded: bool) -> Answer:
    """What answers the operation of an executor, whose root is of a type. Raises UnplannedError.

    Of the executor's variables only those count that switch parts on and off. guarded: for who has not `pii:read`.
    """
    selected = collect_fields(EXECUTABLE, executor.fragments, executor.variable_values, kind, executor.operation)
    return _Compiling(executor, guarded).selection(kind, selected.grouped_field_set)


def right(value: object) -> object:
    """A value that is no error; an error is raised, as graphql-core takes one that is answered."""
    if isinstance(value, BaseException):
        raise value
    return value


@dataclass(slots=True)
class _Compiling:
    executor: Executor[Any]
    guarded: bool
    numbers: Iterator[int] = field(default_factory=count)

    def selection(self, kind: GraphQLObjectType, selected: Selected) -> Answer:
        """What answers a selection: fields that are read in one go; what a resolver has to wait for comes later."""
        fields = [self._field(kind, name, details) for name, details in selected.items()]
        steps = list(_joined(fields))
        if len(steps) == 1 and not isinstance(steps[0], Resolved):
            return steps[0]

        def answer(value: object, run: Run) -> object:
            shown: dict[str, object] = {}
            for step in steps:
                if not isinstance(step, Resolved):
                    shown |= step(value, run)
                    continue
                name, resolve, complete = step
                found = resolve(value, run)
                if isinstance(found, Future) and found.done():
                    found = found.result()
                if isinstance(found, CoroutineType | Future):
                    shown[name] = None
                    run.waiting.append(Waiting(found, shown, name, complete))
                else:
                    shown[name] = complete(right(found), run)
            return shown

        return answer

    def _field(self, kind: GraphQLObjectType, shown_as: str, details: Sequence[FieldDetails]) -> Read | Resolved:
        """A field that is read, or what resolves it and makes the answer of that."""
        name = details[0].node.name.value
        if name == "__typename":
            return Read(shown_as, lambda _value, _run: kind.name)
        if name.startswith("__"):
            raise UnplannedError(name)
        defined = kind.fields[name]
        tell = self._tell(kind, defined, details)
        complete = self._value(defined.type, details, tell)
        if self.guarded and rule_of(kind.name, name) is not Rule.OPEN:
            return Resolved(shown_as, _hidden(kind, name, tell), complete)
        read = PLAIN.get((kind.name, name))
        if read is not None:
            leaf = leaf_of(defined.type)
            if leaf is not None:
                return Read(shown_as, read, ATTRIBUTES.get((kind.name, name)), leaf)
            return Read(shown_as, lambda value, run: complete(read(value), run))
        call = CALLED[kind.name, name]

        def resolve(value: Any, run: Run) -> object:  # noqa: ANN401 -- of whatever type the resolver takes
            told = tell(run)
            return call(value, told.info, **told.arguments)

        return Resolved(shown_as, resolve, complete)

    def _tell(self, kind: GraphQLObjectType, defined: GraphQLField, details: Sequence[FieldDetails]) -> Tell:
        node, number, nodes = details[0].node, next(self.numbers), [each.node for each in details]
        name, executor = node.name.value, self.executor
        ours, path = OURS[kind.name, name], Path(None, name, kind.name)
        convert, given = converting(ours), filling(defined, node, executor.operation)

        def tell(run: Run) -> Told:
            known = run.told.get(number)
            if known is None:
                raw = GraphQLResolveInfo(
                    name,
                    nodes,
                    defined.type,
                    kind,
                    path,
                    EXECUTABLE,
                    executor.fragment_definitions,
                    None,
                    executor.operation,
                    run.variables,
                    run.context,
                    executor.is_awaitable,
                    None,
                    executor.async_helpers,
                )
                said = given(run.variables)
                known = run.told[number] = Told(raw, Info(_raw_info=raw, _field=ours), convert(said), said)
            return known

        return tell

    def _value(self, kind: GraphQLOutputType, details: Sequence[FieldDetails], tell: Tell) -> Answer:
        """What makes the answer of a value of a type. It raises for what graphql-core has to report."""
        leaf = leaf_of(kind)
        if leaf is not None:
            shape = leaf.shape
            return lambda value, _run: shape(value)
        if isinstance(kind, GraphQLNonNull):
            inner = self._present(kind.of_type, details, tell)
            return lambda value, run: inner(needed(value), run)
        present = self._present(kind, details, tell)
        return lambda value, run: None if value is None else present(value, run)

    def _present(self, kind: GraphQLOutputType, details: Sequence[FieldDetails], tell: Tell) -> Answer:
        """The same of a value that is there."""
        if isinstance(kind, GraphQLList):
            item = self._value(kind.of_type, details, tell)
            return lambda values, run: [item(value, run) for value in _listed(values)]
        if isinstance(kind, GraphQLObjectType):
            return self.selection(kind, self._selected(kind, details))
        assert isinstance(kind, GraphQLInterfaceType | GraphQLUnionType)  # noqa: S101 -- leaves are answered above
        return self._abstract(kind, details, tell)

    def _selected(self, kind: GraphQLObjectType, details: Sequence[FieldDetails]) -> Selected:
        fields, deferred, _ = self.executor.collect_subfields(kind, list(details))
        if deferred:
            raise UnplannedError("deferred")
        return fields

    def _abstract(self, kind: GraphQLAbstractType, details: Sequence[FieldDetails], tell: Tell) -> Answer:
        """A value's own type says what is selected; that of a type is compiled when its first value comes."""
        shapes: dict[str, Answer] = {}
        if kind.resolve_type is None:
            raise UnplannedError(kind.name)
        resolve: Callable[..., object] = kind.resolve_type
        is_node = kind.name in NODES

        def answer(value: object, run: Run) -> object:
            name = type_name_of(value) if is_node else resolve(value, tell(run).raw, kind)
            assert isinstance(name, str)  # noqa: S101 -- none of ours has to ask
            shape = shapes.get(name)
            if shape is None:
                own = EXECUTABLE.get_type(name)
                if not isinstance(own, GraphQLObjectType) or not EXECUTABLE.is_sub_type(kind, own):
                    raise TypeError(name)
                shape = shapes[name] = self.selection(own, self._selected(own, details))
            return shape(value, run)

        return answer


def _hidden(kind: GraphQLObjectType, name: str, tell: Tell) -> Answer:
    """What resolves a field within its rule, which looks at what graphql-core gives a resolver."""
    defined = kind.fields[name]
    assert defined.resolve is not None  # noqa: S101 -- each field of the schema has one
    resolve = masked(kind.name, name, defined.resolve)

    def answer(value: object, run: Run) -> object:
        told = tell(run)
        return resolve(value, told.raw, **told.given)

    return answer


def _joined(fields: Sequence[Read | Resolved]) -> Iterator[Written | Resolved]:
    """The fields in their order, those that are read one after another as one."""
    for is_read, group in groupby(fields, lambda each: isinstance(each, Read)):
        if is_read:
            yield written([each for each in group if isinstance(each, Read)])
        else:
            yield from (each for each in group if isinstance(each, Resolved))


def _listed(values: object) -> Sequence[object]:
    if not isinstance(values, list | tuple):
        raise TypeError("no list")
    return values
