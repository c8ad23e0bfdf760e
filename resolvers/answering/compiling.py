"""Compiling an operation into nested functions: what is the same for every request with one document is asked once.

graphql-core asks anew, for each field of each value, what the field is, who resolves it and as what it is shown. Its
own code collects the fields here, so that fragments, merged fields and directives mean what they mean there.
"""

from asyncio import Future
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from types import CoroutineType
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
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
from strawberry.types.field import StrawberryField

from resolvers.answering.arguments import filling
from resolvers.answering.fields import ATTRIBUTES, CALLED, EXECUTABLE, NODES, OURS, PLAIN, converting
from resolvers.answering.leaves import (
    Answer,
    Read,
    Shaped,
    Written,
    leaf_of,
    listed,
    needed,
    read_as,
    read_into,
    said,
    written,
)
from resolvers.asking import Asking, InfoOfPlan
from resolvers.ids import type_name_of
from resolvers.masking import Rule, masked, rule_of

Selected = Mapping[str, Sequence[FieldDetails]]


class UnplannedError(Exception):
    """A part of the operation that no plan covers. Never leaves this room."""


FEWEST_PLACES, MOST_PLACES = 100, 1_000


def most_places(text: str) -> int:
    """How many fields a plan of a text may have: what is spread many times over is not worth a plan.

    A fragment is compiled at each place where it is spread, so a small text may mean a hundred thousand fields: half a
    second, and 20 MB. A field that is written out takes some characters.
    """
    return min(max(FEWEST_PLACES, len(text) // 2), MOST_PLACES)


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


class Told(InfoOfPlan):
    """What a resolver is told besides its source: Strawberry's info, whose parts are made when somebody asks for them.

    context: as Strawberry's own. arguments: for the resolver's own function; given: the same as graphql-core has them,
    before input types are made of them.
    """

    context: Asking = None  # type: ignore[assignment]  # of Strawberry a property, five times as slow

    def __init__(self, place: "Place", run: "Run", given: dict[str, object]) -> None:
        self.context = run.context
        self.given = given
        self.arguments = place.convert(given)
        self.kept = place.kept
        self.coerced = run.variables.coerced
        self._field = place.ours
        self._place = place
        self._variables = run.variables  # not the run, which holds what is told: no circle is left to the collector

    @cached_property
    def _raw_info(self) -> GraphQLResolveInfo[Any]:  # type: ignore[override]  # of Strawberry an attribute
        return self._place.raw(self._variables, self.context)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A field in an operation, the same for every request. kept: as in InfoOfPlan."""

    defined: GraphQLField
    kind: GraphQLObjectType
    nodes: Sequence[FieldNode]
    executor: Executor[Any]
    ours: StrawberryField
    convert: Callable[[Mapping[str, object]], dict[str, object]]
    filled: Callable[[VariableValues], dict[str, object]]
    kept: dict[object, object] = field(default_factory=dict)

    def tell(self, run: "Run") -> Told:
        """What its resolver is told in one execution, the same for every source."""
        told = run.told.get(self)
        if told is None:
            told = run.told[self] = Told(self, run, self.filled(run.variables))
        return told

    def raw(self, variables: VariableValues, context: Asking) -> GraphQLResolveInfo[Any]:
        """The same as graphql-core tells it."""
        name, executor = self.nodes[0].name.value, self.executor
        return GraphQLResolveInfo(
            name,
            list(self.nodes),
            self.defined.type,
            self.kind,
            Path(None, name, self.kind.name),
            EXECUTABLE,
            executor.fragment_definitions,
            None,
            executor.operation,
            variables,
            context,
            executor.is_awaitable,
            None,
            executor.async_helpers,
        )


@dataclass(slots=True)
class Run:
    """One execution of a plan. told: what each field is told."""

    context: Asking
    variables: VariableValues
    waiting: list[Waiting] = field(default_factory=list)
    told: dict[Place, Told] = field(default_factory=dict)


def compiled(executor: Executor[Any], kind: GraphQLObjectType, most: int, *, guarded: bool) -> Answer:
    """What answers the operation of an executor, whose root is of a type. Raises UnplannedError, GraphQLError.

    most: how many fields it may have; some are compiled when the first value of their type comes.
    Of the executor's variables only those count that switch parts on and off. guarded: for who has not `pii:read`.
    """
    selected = collect_fields(EXECUTABLE, executor.fragments, executor.variable_values, kind, executor.operation)
    return _Compiling(executor, guarded, most).selection(kind, selected.grouped_field_set).answer


def right(value: object) -> object:
    """A value that is no error; an error is raised, as graphql-core takes one that is answered."""
    if isinstance(value, BaseException):
        raise value
    return value


@dataclass(slots=True)
class _Compiling:
    executor: Executor[Any]
    guarded: bool
    left: int

    def selection(self, kind: GraphQLObjectType, selected: Selected) -> Shaped:
        """What answers a selection: fields that are read in one go; what a resolver has to wait for comes later."""
        fields = [self._field(kind, name, details) for name, details in selected.items()]
        steps = list(_joined(fields))
        if len(steps) == 1 and not isinstance(steps[0], Resolved):
            return Shaped(steps[0], any(isinstance(each, Read) and each.meets_null for each in fields))

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

        return Shaped(answer, meets_null=False)

    def _field(self, kind: GraphQLObjectType, shown_as: str, details: Sequence[FieldDetails]) -> Read | Resolved:
        """A field that is read, or what resolves it and makes the answer of that."""
        name = details[0].node.name.value
        self.left -= 1
        if self.left < 0:
            raise UnplannedError("too many fields")
        if name == "__typename":
            return said(shown_as, kind.name)
        if name.startswith("__"):
            raise UnplannedError(name)
        place = self._place(kind, name, details)
        shaped = self._value(place.defined.type, details, place)
        read = PLAIN.get((kind.name, name))
        if self.guarded and rule_of(kind.name, name) is not Rule.OPEN:
            return Resolved(shown_as, _hidden(place, name, read), shaped.answer)
        if read is not None:
            leaf, attribute = leaf_of(place.defined.type), ATTRIBUTES.get((kind.name, name))
            return (
                read_into(shown_as, read, attribute, shaped)
                if leaf is None
                else read_as(shown_as, read, attribute, leaf)
            )
        call = CALLED[kind.name, name]

        def resolve(value: Any, run: Run) -> object:  # noqa: ANN401 -- of whatever type the resolver takes
            told = place.tell(run)
            return call(value, told, **told.arguments)

        return Resolved(shown_as, resolve, shaped.answer)

    def _place(self, kind: GraphQLObjectType, name: str, details: Sequence[FieldDetails]) -> Place:
        defined, ours, nodes = kind.fields[name], OURS[kind.name, name], [each.node for each in details]
        filled = filling(defined, nodes[0], self.executor.operation)
        return Place(defined, kind, nodes, self.executor, ours, converting(ours), filled)

    def _value(self, kind: GraphQLOutputType, details: Sequence[FieldDetails], place: Place) -> Shaped:
        """What makes the answer of a value of a type. It raises for what graphql-core has to report."""
        leaf = leaf_of(kind)
        if leaf is not None:
            shape = leaf.shape
            return Shaped(lambda value, _run: shape(value), meets_null=False)
        if isinstance(kind, GraphQLNonNull):
            inner = self._present(kind.of_type, details, place)
            if inner.meets_null:
                return inner
            there = inner.answer
            return Shaped(lambda value, run: there(needed(value), run), meets_null=True)
        present = self._present(kind, details, place).answer
        return Shaped(lambda value, run: None if value is None else present(value, run), meets_null=False)

    def _present(self, kind: GraphQLOutputType, details: Sequence[FieldDetails], place: Place) -> Shaped:
        """The same of a value that is there."""
        if isinstance(kind, GraphQLList):
            item = self._value(kind.of_type, details, place).answer
            return Shaped(lambda values, run: [item(value, run) for value in listed(values)], True, item)
        if isinstance(kind, GraphQLObjectType):
            return self.selection(kind, self._selected(kind, details))
        assert isinstance(kind, GraphQLInterfaceType | GraphQLUnionType)  # noqa: S101 -- leaves are answered above
        return Shaped(self._abstract(kind, details, place), meets_null=kind.name in NODES)

    def _selected(self, kind: GraphQLObjectType, details: Sequence[FieldDetails]) -> Selected:
        fields, deferred, _ = self.executor.collect_subfields(kind, list(details))
        if deferred:
            raise UnplannedError("deferred")
        return fields

    def _abstract(self, kind: GraphQLAbstractType, details: Sequence[FieldDetails], place: Place) -> Answer:
        """A value's own type says what is selected; that of a type is compiled when its first value comes."""
        shapes: dict[str, Answer] = {}
        if kind.resolve_type is None:
            raise UnplannedError(kind.name)
        resolve: Callable[..., object] = kind.resolve_type
        is_node = kind.name in NODES

        def answer(value: object, run: Run) -> object:
            if is_node:
                name: object = type_name_of(value, run.context.world.held.names)
            else:
                name = resolve(value, place.tell(run)._raw_info, kind)  # noqa: SLF001 -- Strawberry's name
            assert isinstance(name, str)  # noqa: S101 -- none of ours has to ask
            shape = shapes.get(name)
            if shape is None:
                own = EXECUTABLE.get_type(name)
                if not isinstance(own, GraphQLObjectType) or not EXECUTABLE.is_sub_type(kind, own):
                    raise TypeError(name)
                shape = shapes[name] = self.selection(own, self._selected(own, details)).answer
            return shape(value, run)

        return answer


def _hidden(place: Place, name: str, read: Callable[[Any], object] | None) -> Answer:
    """What resolves a field within its rule. read: how it is read, where it has no resolver of its own."""
    if read is None:
        call = CALLED[place.kind.name, name]
        resolve = masked(place.kind.name, name, lambda value, told, **_: call(value, told, **told.arguments))
    else:
        resolve = masked(place.kind.name, name, lambda value, _told, **_: read(value))

    def answer(value: object, run: Run) -> object:
        told = place.tell(run)
        return resolve(value, told, **told.given)

    return answer


def _joined(fields: Sequence[Read | Resolved]) -> Iterator[Written | Resolved]:
    """The fields in their order, those that are read one after another as one."""
    for is_read, group in groupby(fields, lambda each: isinstance(each, Read)):
        if is_read:
            yield written([each for each in group if isinstance(each, Read)])
        else:
            yield from (each for each in group if isinstance(each, Resolved))
