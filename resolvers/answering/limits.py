"""What one request may ask, measured on the document before anything is executed, so that none fells the service.

Cost is the number of fields that would be answered if every page and list were full: a page multiplies what is inside
by its `first`, another list by a usual length. A `first` given by a variable stays a factor until its value is known.
What `@skip` or `@include` may leave out counts all the same.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
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

DEEPEST = 15
MOST_ROOT_FIELDS = 100
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
    "audience": 40_000,
    "sources": 2_000,
    "source": 2_000,
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
    """How large an operation is. roots: how many fields at its root; fields: their names; cost: see above.

    fixed: the cost where no variable is a factor, known once for all. defaults: what such variables are when not given.
    """

    depth: int
    roots: int
    fields: frozenset[str]
    cost: Cost
    fixed: int | None
    defaults: Mapping[str, int]


def size_of(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode], schema: GraphQLSchema
) -> Size:
    """The size of a valid operation. Cost: linear in the document, each fragment is measured once."""
    measuring = _Measuring(schema, fragments)
    root = schema.get_root_type(operation.operation)
    depth, cost = measuring.selections(operation.selection_set, root)
    roots = measuring.roots(operation.selection_set)
    fixed = None if any(cost) else cost[()]
    return Size(depth, roots, frozenset(measuring.named), cost, fixed, _defaults(operation))


def _defaults(operation: OperationDefinitionNode) -> Mapping[str, int]:
    return {
        each.variable.name.value: int(each.default_value.value)
        for each in operation.variable_definitions or ()
        if isinstance(each.default_value, IntValueNode)
    }


def check_size(size: Size) -> None:
    """Raises GraphQLError when an operation is nested too deep, or has too many fields at its root."""
    if size.depth > DEEPEST:
        raise refused(Code.TOO_DEEP, f"fields are nested {size.depth} deep; the service allows {DEEPEST}")
    if size.roots > MOST_ROOT_FIELDS:
        raise refused(
            Code.TOO_MANY_ROOT_FIELDS, f"{size.roots} fields at the root; the service allows {MOST_ROOT_FIELDS}"
        )


def cost_of(size: Size, variables: Mapping[str, object]) -> int:
    """How many fields would be answered if every page and list were full."""
    if size.fixed is not None:
        return size.fixed
    return sum(number * _product(names, size.defaults, variables) for names, number in size.cost.items())


def _product(names: tuple[str, ...], defaults: Mapping[str, int], variables: Mapping[str, object]) -> int:
    product = 1
    for name in names:
        value = variables.get(name, defaults.get(name, USUAL))
        product *= min(max(value, 1), MOST) if isinstance(value, int) else MOST
    return product


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
        return (self.schema.query_type, self.schema.mutation_type, self.schema.subscription_type)

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
        of_page = node.name.value == "edges" and parent is not None and parent.name.endswith("Connection")
        number, names = _length(node, defined, of_page)
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


def _length(node: FieldNode, defined: GraphQLField, of_page: bool) -> tuple[int, tuple[str, ...]]:
    """How many of what is inside a field answers: a number, and the variables to multiply it with.

    of_page: whether it is the edges of a page, which the page's size has counted.
    """
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
    return (USUAL_LIST if _is_list(defined) and not of_page else 1), ()


def _is_list(defined: GraphQLField) -> bool:
    kind = defined.type
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)
