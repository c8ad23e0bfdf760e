"""What a caller will ask of a profile, read from the document before the profile itself is read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    IntValueNode,
    SelectionSetNode,
    VariableNode,
)

from resolvers.asking import Asking, Info, InfoOfPlan
from resolvers.paging import MOST, USUAL

PORTRAYED = frozenset({"devices", "contacts", "contactPoints", "identifiers", "interactions"})


@dataclass(frozen=True, slots=True)
class Wish:
    """A profile with its identifiers. firsts: the sizes of the first pages of its timeline that are asked, too."""

    firsts: frozenset[int]

    @property
    def most(self) -> int:
        """How many interactions to read: the longest page, and one to know whether there is more."""
        return max(self.firsts) + 1 if self.firsts else 0


def wish_of(info: Info) -> Wish | None:
    """What one reading can answer besides the profile itself; None when the profile is all.

    Only the first level is looked at; a page with `after` or `filter` is read by itself. A field that a directive
    leaves out is read in vain, which costs little and changes nothing.
    """
    if not isinstance(info, InfoOfPlan):
        raw = info._raw_info  # noqa: SLF001 -- `selected_fields` copies the whole tree: 60 µs where this takes 5
        return _wish(_asked(raw), raw.variable_values.coerced)
    kept = info.kept
    if wish_of not in kept:
        sizes = _asked(info._raw_info)  # noqa: SLF001
        of_variables = any(isinstance(each, str) for each in sizes or ())
        kept[wish_of] = partial(_wish, sizes) if of_variables else _always(_wish(sizes, {}))
    return cast("Wishing", kept[wish_of])(info.coerced)


Wishing = Callable[[Mapping[str, object]], Wish | None]
Size = int | str | None  # of a first page: a number, or the variable that has it; None where a page is read by itself


def _always(wish: Wish | None) -> Wishing:
    return lambda _: wish


def _wish(sizes: Sequence[Size] | None, variables: Mapping[str, object]) -> Wish | None:
    if sizes is None:
        return None
    numbers = (variables.get(each, USUAL) if isinstance(each, str) else each for each in sizes)
    return Wish(frozenset(size for size in numbers if isinstance(size, int) and 1 <= size <= MOST))


def _asked(raw: GraphQLResolveInfo[Asking]) -> Sequence[Size] | None:
    """The sizes of the first pages of the timeline that are asked; None where nothing is that a portrait shows."""
    asked = [
        field
        for node in raw.field_nodes
        if node.selection_set
        for field in _fields(node.selection_set, raw.fragments)
        if field.name.value in PORTRAYED
    ]
    return [_size(field) for field in asked if field.name.value == "interactions"] if asked else None


def _fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    for each in selections.selections:
        match each:
            case FieldNode():
                yield each
            case InlineFragmentNode():
                yield from _fields(each.selection_set, fragments)
            case FragmentSpreadNode():
                yield from _fields(fragments[each.name.value].selection_set, fragments)


def _size(field: FieldNode) -> Size:
    given = {argument.name.value: argument.value for argument in field.arguments or ()}
    if given.keys() - {"first"}:
        return None
    match given.get("first"):
        case None:
            return USUAL
        case IntValueNode(value=value):
            return int(value)
        case VariableNode(name=name):
            return name.value
        case _:
            return None
