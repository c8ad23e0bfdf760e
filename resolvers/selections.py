"""What a caller will ask of a profile, read from the document before the profile itself is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    SelectionSetNode,
    VariableNode,
)

from resolvers.asking import Info
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
    raw = info._raw_info  # noqa: SLF001 -- `selected_fields` copies the whole tree: 60 µs where this takes 5
    asked = [
        field
        for node in raw.field_nodes
        if node.selection_set
        for field in _fields(node.selection_set, raw.fragments)
        if field.name.value in PORTRAYED
    ]
    if not asked:
        return None
    sizes = (_size(field, raw.variable_values.coerced) for field in asked if field.name.value == "interactions")
    return Wish(frozenset(size for size in sizes if size is not None and 1 <= size <= MOST))


def _fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    for each in selections.selections:
        match each:
            case FieldNode():
                yield each
            case InlineFragmentNode():
                yield from _fields(each.selection_set, fragments)
            case FragmentSpreadNode():
                yield from _fields(fragments[each.name.value].selection_set, fragments)


def _size(field: FieldNode, variables: Mapping[str, object]) -> int | None:
    """The size of a first page; None where a page is read by itself."""
    given = {argument.name.value: argument.value for argument in field.arguments or ()}
    if given.keys() - {"first"}:
        return None
    match given.get("first"):
        case None:
            return USUAL
        case IntValueNode(value=value):
            return int(value)
        case VariableNode(name=name):
            size = variables.get(name.value, USUAL)
            return size if isinstance(size, int) else None
        case _:
            return None
