"""How scalars and enums are answered, and selections of them written as one expression.

A page of twenty interactions has a hundred such fields; as one expression they take two thirds of the time that a loop
over functions takes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLLeafType,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLString,
    Undefined,
    is_leaf_type,
)

Shape = Callable[[Any], object]
Answer = Callable[[Any, Any], object]  # of a value and a run
Written = Callable[[Any, Any], dict[str, object]]  # of a source and a run
CALLED = "{shape}({value})"
TEXT = "(x if type(x := {value}) is str else {shape}(x))"
TEXT_OR_NULL = "(x if (x := {value}) is None or type(x) is str else {shape}(x))"


class Leaf(NamedTuple):
    """What makes the answer of a value. written: the same as an expression; what is most often right is let through."""

    shape: Shape
    written: str = CALLED


def leaf_of(kind: GraphQLOutputType) -> Leaf | None:
    """That of a scalar or an enum, or of one that may be null; None for a type that has fields, or for a list."""
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if not is_leaf_type(inner):
        return None
    shape, is_text = _shape_of(inner), inner in {GraphQLString, GraphQLID}
    if inner is not kind:
        return Leaf(shape, TEXT if is_text else CALLED)
    return Leaf(lambda value: None if value is None else shape(value), TEXT_OR_NULL if is_text else CALLED)


def _shape_of(kind: GraphQLLeafType) -> Shape:
    """What makes the answer of a value that is there. It raises for what graphql-core has to report."""
    coerced = kind.coerce_output_value
    if kind in {GraphQLString, GraphQLID}:
        return lambda value: value if type(value) is str else needed(coerced(needed(value)))
    if kind is GraphQLBoolean:
        return lambda value: value if value is True or value is False else needed(coerced(needed(value)))
    if isinstance(kind, GraphQLEnumType):
        return _remembering(lambda value: needed(coerced(needed(value))))
    return lambda value: needed(coerced(needed(value)))


def _remembering(shape: Shape) -> Shape:
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


class Read(NamedTuple):
    """A field that is read, as an expression of its source `v`, of `run`, and of what is bound, in braces.

    meets_null: whether it raises where there is no source.
    """

    name: str
    text: str
    bound: Mapping[str, object]
    meets_null: bool = False


def said(name: str, text: str) -> Read:
    """A field whose answer is the same text for every source."""
    return Read(name, repr(text), {})


def read_as(name: str, function: Callable[..., object], attribute: str | None, leaf: Leaf) -> Read:
    """A field that is read by a function, or by the name of an attribute, and answered by its leaf."""
    value = f"v.{attribute}" if attribute else "{function}(v)"
    text = leaf.written.format(value=value, shape="{shape}")
    return Read(name, text, {"function": function, "shape": leaf.shape}, attribute is not None)


class Shaped(NamedTuple):
    """What makes the answer of a value. meets_null: whether it raises where there is none. each: of a list, of each."""

    answer: Answer
    meets_null: bool
    each: Answer | None = None


def read_into(name: str, function: Callable[..., object], attribute: str | None, shaped: Shaped) -> Read:
    """A field that is read by a function, or by the name of an attribute, and holds fields or is a list."""
    value = f"v.{attribute}" if attribute else "{function}(v)"
    if shaped.each is None:
        return Read(
            name, f"{{shape}}({value}, run)", {"function": function, "shape": shaped.answer}, attribute is not None
        )
    text = f"[{{shape}}(each, run) for each in {{listed}}({value})]"
    return Read(name, text, {"function": function, "shape": shaped.each, "listed": listed}, attribute is not None)


def listed(values: object) -> Sequence[object]:
    """A list of values. Raises TypeError where it is none."""
    if not isinstance(values, list | tuple):
        raise TypeError("no list")
    return values


def written(fields: Sequence[Read]) -> Written:
    """The function of a source and a run that answers a selection of fields which are read.

    What stands in its text are names of GraphQL and attributes of our own types, nothing that a caller chose freely.
    """
    bound: dict[str, object] = {}
    parts = []
    for number, each in enumerate(fields):
        names = {name: f"{name}{number}" for name in each.bound}
        bound |= {names[name]: value for name, value in each.bound.items()}
        parts.append(f"{each.name!r}: {each.text.format(**names)}")
    function: Written = eval(f"lambda v, run: {{{', '.join(parts)}}}", bound)  # noqa: S307
    return function
