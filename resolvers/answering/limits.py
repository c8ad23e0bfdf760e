"""What one request may ask, measured on the document before anything is executed, so that none fells the service.

Cost is the number of fields that would be answered if every page and list were full: a page multiplies what is inside
by its `first`, another list by a usual length. A `first` given by a variable stays a factor until its value is known.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from resolvers.errors import Code, refused
from resolvers.paging import MOST, USUAL

MOST_TOKENS = 2_000
DEEPEST = 15
DEEPEST_VARIABLES = 40
MOST_ROOT_FIELDS = 100
MOST_FIELDS = 100_000
MOST_PAIRS = 25_000
USUAL_LIST = 10
USUAL_LIMIT = 50  # tens; where a variable gives a limit, which may be 500

# What costs far more than the fields that it answers: work on whole people, or a transaction that takes locks.
DEAR: Mapping[str, int] = {
    "how": 5_000,
    "whySame": 2_000,
    "whyNot": 5_000,
    "connection": 10_000,
    "neighbourhood": 5_000,
    "suggestions": 2_000,
    "changes": 2_000,
    "segmentPreview": 5_000,
    "unmergePreview": 40_000,
    "mergeProfiles": 40_000,
    "unmerge": 40_000,
    "undoDecision": 40_000,
    "erase": 40_000,
}
OF_THE_PAST = frozenset({"asOf", "effectiveAt"})
PAST = 5_000

Cost = Counter[tuple[str, ...]]  # a number of fields for each product of variables


@dataclass(frozen=True, slots=True)
class Size:
    """How large an operation is. roots: how many fields at its root; fields: their names; cost: see above."""

    depth: int
    roots: int
    fields: frozenset[str]
    cost: Cost


def check_repeats(document: DocumentNode) -> None:
    """Raises GraphQLError when one name is asked for so often that to compare all its places takes seconds.

    To validate that fields can be merged is quadratic in the places of a name: 490 times one field took 3.7 s.
    """
    names = Counter(_names(document))
    if sum(number * number for number in names.values()) > MOST_PAIRS:
        name, number = names.most_common(1)[0]
        raise refused(Code.TOO_LONG, f"`{name}` and other fields are asked for too often; `{name}` {number} times")


def _names(document: DocumentNode) -> Iterator[str]:
    waiting = [each.selection_set for each in document.definitions if isinstance(each, ExecutableDefinitionNode)]
    while waiting:
        for each in waiting.pop().selections:
            if isinstance(each, FieldNode):
                yield (each.alias or each.name).value
            inner = getattr(each, "selection_set", None)
            if inner is not None:
                waiting.append(inner)


def size_of(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode], schema: GraphQLSchema
) -> Size:
    """The size of a valid operation. Cost: linear in the document, each fragment is measured once."""
    measuring = _Measuring(schema, fragments)
    root = schema.get_root_type(operation.operation)
    depth, cost = measuring.selections(operation.selection_set, root)
    roots = measuring.roots(operation.selection_set)
    return Size(depth, roots, frozenset(measuring.named), cost)


def check_size(size: Size, variables: Mapping[str, object]) -> None:
    """Raises GraphQLError when an operation or its variables are more than the service allows."""
    if size.depth > DEEPEST:
        raise refused(Code.TOO_DEEP, f"fields are nested {size.depth} deep; the service allows {DEEPEST}")
    if size.roots > MOST_ROOT_FIELDS:
        raise refused(
            Code.TOO_MANY_ROOT_FIELDS, f"{size.roots} fields at the root; the service allows {MOST_ROOT_FIELDS}"
        )
    if _is_deep(variables):
        raise refused(Code.TOO_DEEP, f"variables are nested more than {DEEPEST_VARIABLES} deep")
    fields = sum(number * _product(names, variables) for names, number in size.cost.items())
    if fields > MOST_FIELDS:
        raise refused(Code.TOO_COSTLY, f"{fields:,} fields would be answered; the service allows {MOST_FIELDS:,}")


def _product(names: tuple[str, ...], variables: Mapping[str, object]) -> int:
    product = 1
    for name in names:
        value = variables.get(name, USUAL)
        product *= min(max(value, 1), MOST) if isinstance(value, int) else USUAL
    return product


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST_VARIABLES):
        level = [inner for each in level for inner in _inner(each)]
        if not level:
            return False
    return True


def _inner(value: object) -> Iterator[object]:
    match value:
        case dict():
            yield from value.values()
        case list():
            yield from value


@dataclass(slots=True)
class _Measuring:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    measured: dict[str, tuple[int, Cost]] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)

    @property
    def roots_of(self) -> tuple[GraphQLNamedType | None, ...]:
        """The types whose fields an operation begins with."""
        return (self.schema.query_type, self.schema.mutation_type)

    def selections(self, selections: SelectionSetNode, parent: GraphQLNamedType | None) -> tuple[int, Cost]:
        depth, cost = 0, Cost()
        for each in selections.selections:
            below, more = self.selection(each, parent)
            depth = max(depth, below)
            cost.update(more)
        return depth, cost

    def selection(self, each: object, parent: GraphQLNamedType | None) -> tuple[int, Cost]:
        match each:
            case FieldNode():
                return self.field(each, parent)
            case InlineFragmentNode(type_condition=condition):
                on = self.schema.get_type(condition.name.value) if condition else parent
                return self.selections(each.selection_set, on)
            case FragmentSpreadNode():
                return self.fragment(each.name.value)
        return 0, Cost()

    def fragment(self, name: str) -> tuple[int, Cost]:
        if name not in self.measured:
            fragment = self.fragments[name]
            on = self.schema.get_type(fragment.type_condition.name.value)
            self.measured[name] = self.selections(fragment.selection_set, on)
        return self.measured[name]

    def field(self, node: FieldNode, parent: GraphQLNamedType | None) -> tuple[int, Cost]:
        """Introspection has a rule of its own against depth, and answers from memory."""
        defined = getattr(parent, "fields", {}).get(node.name.value)
        dear = DEAR.get(node.name.value, 0) if parent in self.roots_of else 0
        if any(argument.name.value in OF_THE_PAST for argument in node.arguments or ()):
            dear = PAST
        if node.selection_set is None or defined is None:
            return 1, Cost({(): 1 + dear})
        depth, inner = self.selections(node.selection_set, get_named_type(defined.type))
        number, names = _length(node, defined)
        cost = Cost({tuple(sorted((*each, *names))): count * number for each, count in inner.items()})
        cost[()] += 1 + dear
        return depth + 1, cost

    def roots(self, selections: SelectionSetNode) -> int:
        return sum(map(self._roots, selections.selections))

    def _roots(self, each: object) -> int:
        match each:
            case InlineFragmentNode():
                return self.roots(each.selection_set)
            case FragmentSpreadNode():
                name = each.name.value
                if name not in self.counted:
                    self.counted[name] = self.roots(self.fragments[name].selection_set)
                return self.counted[name]
            case FieldNode(name=name):
                self.named.add(name.value)
        return 1


def _length(node: FieldNode, defined: GraphQLField) -> tuple[int, tuple[str, ...]]:
    """How many of what is inside a field answers: a number, and the variables to multiply it with."""
    if "first" in defined.args:
        given = next((argument.value for argument in node.arguments or () if argument.name.value == "first"), None)
        match given:
            case IntValueNode(value=value):
                return min(max(int(value), 1), MOST), ()
            case VariableNode(name=name):
                return 1, (name.value,)
        return USUAL, ()
    if "ids" in defined.args:
        return MOST, ()
    if "limit" in defined.args:  # of the lists inside, which count as ten each
        given = next((argument.value for argument in node.arguments or () if argument.name.value == "limit"), None)
        return (max(int(given.value) // USUAL_LIST, 1) if isinstance(given, IntValueNode) else USUAL_LIMIT), ()
    return (USUAL_LIST if _is_list(defined) and node.name.value != "edges" else 1), ()


def _is_list(defined: GraphQLField) -> bool:
    kind = defined.type
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)
