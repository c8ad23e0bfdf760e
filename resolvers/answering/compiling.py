"""Compiling an operation into nested functions: what is the same for every request with one document is asked once.

graphql-core asks anew, for each field of each value, what the field is, who resolves it and as what it is shown. Its
own code collects the fields here, so that fragments, merged fields and directives mean what they mean there.
"""

from asyncio import Future
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from types import CoroutineType
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    GraphQLAbstractType,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLID,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLString,
    GraphQLUnionType,
    Undefined,
    VariableNode,
    Visitor,
    get_argument_values,
    is_leaf_type,
    visit,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails, collect_fields
from graphql.execution.values import VariableValues
from graphql.pyutils import Path
from strawberry.types.info import Info

from resolvers.answering.fields import CALLED, EXECUTABLE, OURS, PLAIN, converting
from resolvers.asking import Asking

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


class Told(NamedTuple):
    """What a resolver is told besides its source: graphql-core's info, Strawberry's around it, the arguments."""

    raw: GraphQLResolveInfo[Any]
    info: Info[Any, Any]
    arguments: dict[str, object]


Converting = Callable[[Mapping[str, object]], dict[str, object]]
Tell = Callable[["Run"], Told]


@dataclass(slots=True)
class Run:
    """One execution of a plan. told: what each field is told, the same for every value."""

    context: Asking
    variables: VariableValues
    waiting: list[Waiting] = field(default_factory=list)
    told: dict[int, Told] = field(default_factory=dict)


def compiled(executor: Executor[Any], kind: GraphQLObjectType) -> Answer:
    """What answers the operation of an executor, whose root is of a type. Raises UnplannedError.

    Of the executor's variables only those count that switch parts on and off.
    """
    selected = collect_fields(EXECUTABLE, executor.fragments, executor.variable_values, kind, executor.operation)
    return _Compiling(executor).selection(kind, selected.grouped_field_set)


def right(value: object) -> object:
    """A value that is no error; an error is raised, as graphql-core takes one that is answered."""
    if isinstance(value, BaseException):
        raise value
    return value


@dataclass(slots=True)
class _Compiling:
    executor: Executor[Any]
    numbers: Iterator[int] = field(default_factory=count)

    def selection(self, kind: GraphQLObjectType, selected: Selected) -> Answer:
        """What answers a selection: plain fields in one go; what a resolver has to wait for comes later."""
        steps = [(name, *self._field(kind, details)) for name, details in selected.items()]
        if all(resolve is None for _, resolve, _ in steps):
            plain = [(name, complete) for name, _, complete in steps]
            return lambda value, run: {name: complete(value, run) for name, complete in plain}

        def answer(value: object, run: Run) -> object:
            shown: dict[str, object] = {}
            for name, resolve, complete in steps:
                if resolve is None:
                    shown[name] = complete(value, run)
                    continue
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

    def _field(self, kind: GraphQLObjectType, details: Sequence[FieldDetails]) -> tuple[Answer | None, Answer]:
        """What resolves a field, None where it is read, and what makes the answer of it."""
        name = details[0].node.name.value
        if name == "__typename":
            return None, lambda _value, _run: kind.name
        if name.startswith("__"):
            raise UnplannedError(name)
        defined = kind.fields[name]
        tell = self._tell(kind, defined, details)
        complete = self._value(defined.type, details, tell)
        read = PLAIN.get((kind.name, name))
        if read is not None:
            leaf = _leaf_of(defined.type)
            return None, _read_leaf(read, leaf) if leaf else lambda value, run: complete(read(value), run)
        call = CALLED[kind.name, name]

        def resolve(value: Any, run: Run) -> object:  # noqa: ANN401 -- of whatever type the resolver takes
            told = tell(run)
            return call(value, told.info, **told.arguments)

        return resolve, complete

    def _tell(self, kind: GraphQLObjectType, defined: GraphQLField, details: Sequence[FieldDetails]) -> Tell:
        node, number, nodes = details[0].node, next(self.numbers), [each.node for each in details]
        name, executor = node.name.value, self.executor
        ours, path = OURS[kind.name, name], Path(None, name, kind.name)
        convert = converting(ours)
        fixed = None if _has_variables(node) else _fixed(convert, defined, node)

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
                arguments = fixed
                if arguments is None:
                    arguments = convert(get_argument_values(defined, node, run.variables))
                known = run.told[number] = Told(raw, Info(_raw_info=raw, _field=ours), arguments)
            return known

        return tell

    def _value(self, kind: GraphQLOutputType, details: Sequence[FieldDetails], tell: Tell) -> Answer:
        """What makes the answer of a value of a type. It raises for what graphql-core has to report."""
        leaf = _leaf_of(kind)
        if leaf is not None:
            return lambda value, _run: leaf(value)
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
        is_union = isinstance(kind, GraphQLUnionType)  # Strawberry's way to tell asks the info, that of `Node` does not

        def answer(value: object, run: Run) -> object:
            name = resolve(value, tell(run).raw if is_union else None, kind)
            assert isinstance(name, str)  # noqa: S101 -- none of ours has to ask
            shape = shapes.get(name)
            if shape is None:
                own = EXECUTABLE.get_type(name)
                if not isinstance(own, GraphQLObjectType) or not EXECUTABLE.is_sub_type(kind, own):
                    raise TypeError(name)
                shape = shapes[name] = self.selection(own, self._selected(own, details))
            return shape(value, run)

        return answer


Leaf = Callable[[Any], object]


def _read_leaf(read: Leaf, leaf: Leaf) -> Answer:
    return lambda value, _run: leaf(read(value))


def _leaf_of(kind: GraphQLOutputType) -> Leaf | None:
    """What makes the answer of a scalar or an enum; None for a type that has fields, or for a list."""
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if not is_leaf_type(inner):
        return None
    shape = _shape_of(inner)
    return shape if inner is not kind else lambda value: None if value is None else shape(value)


def _shape_of(kind: GraphQLLeafType) -> Leaf:
    """The same of a value that is there; what is most often what it should be is not looked at twice."""
    coerced = kind.coerce_output_value
    if kind in {GraphQLString, GraphQLID}:
        return lambda value: value if type(value) is str else needed(coerced(needed(value)))
    if kind is GraphQLBoolean:
        return lambda value: value if value is True or value is False else needed(coerced(needed(value)))
    if isinstance(kind, GraphQLEnumType):
        return _remembering(lambda value: needed(coerced(needed(value))))
    return lambda value: needed(coerced(needed(value)))


def _remembering(shape: Leaf) -> Leaf:
    """The words of an enum, of which there are few, by the texts that stand for them."""
    known: dict[str, object] = {}

    def answer(value: object) -> object:
        if type(value) is not str:
            return shape(value)
        if value not in known:
            known[value] = shape(value)
        return known[value]

    return answer


def needed(value: object) -> object:
    """A value that is there. Raises TypeError where it is not."""
    if value is None or value is Undefined:
        raise TypeError("null")
    return value


def _listed(values: object) -> Sequence[object]:
    if not isinstance(values, list | tuple):
        raise TypeError("no list")
    return values


def _fixed(convert: Converting, defined: GraphQLField, node: FieldNode) -> dict[str, object] | None:
    """The arguments that the document says; None where they cannot be used, which each request is told."""
    try:
        return convert(get_argument_values(defined, node))
    except GraphQLError:
        return None


def _has_variables(node: FieldNode) -> bool:
    found = list[VariableNode]()

    class Variables(Visitor):
        def enter_variable(self, node: VariableNode, *_: object) -> None:
            found.append(node)

    for argument in node.arguments or ():
        visit(argument, Variables())
    return bool(found)
