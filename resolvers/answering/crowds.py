"""What is counted of a request before anybody looks at what it means: attacks are crowds of small things.

Each number is far above what front-ends send and far below what takes the parser, the validation or the coercion of
variables 50 ms.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    ListValueNode,
    Node,
    ObjectValueNode,
)

from resolvers.errors import Code, refused

MOST_CHARACTERS = 50_000  # 50,000 escapes take the lexer 40 ms
MOST_TOKENS = 2_000
MOST_PAIRS = 25_000
MOST_FRAGMENTS = 100  # a cycle of 200 took 60 ms
MOST_ALIASES = 200
MOST_DIRECTIVES = 100
MOST_DIRECTIVES_AT_A_PLACE = 5
DEEPEST_VALUE = 40
MOST_VALUES = 5_000
LONGEST_TEXT = 65_536
FEW_VALUES = 20  # that need not be looked into


def check_text(text: str) -> None:
    """Raises GraphQLError when a document is too long to be read."""
    if len(text) > MOST_CHARACTERS:
        raise refused(
            Code.TOO_LONG, f"the document has {len(text):,} characters; the service allows {MOST_CHARACTERS:,}"
        )


def check_crowds(document: DocumentNode) -> None:
    """Raises GraphQLError when a document that was only parsed has too much of anything."""
    fragments = sum(isinstance(each, FragmentDefinitionNode) for each in document.definitions)
    if fragments > MOST_FRAGMENTS:
        raise refused(Code.TOO_LONG, f"the document has {fragments} fragments; the service allows {MOST_FRAGMENTS}")
    aliases = directives = 0
    for node, depth in _nodes(document):
        at_place = len(getattr(node, "directives", None) or ())
        directives += at_place
        aliases += isinstance(node, FieldNode) and node.alias is not None
        if at_place > MOST_DIRECTIVES_AT_A_PLACE or directives > MOST_DIRECTIVES:
            raise refused(Code.TOO_MANY_DIRECTIVES)
        if aliases > MOST_ALIASES:
            raise refused(Code.TOO_MANY_ALIASES)
        if depth > DEEPEST_VALUE:
            raise refused(Code.TOO_DEEP, f"values are nested more than {DEEPEST_VALUE} deep")
    _check_repeats(document)


def _nodes(document: DocumentNode) -> Iterator[tuple[Node, int]]:
    """Every node, and how many lists and objects of values are around it."""
    waiting: list[tuple[Node, int]] = [(document, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        inside = depth + isinstance(node, ListValueNode | ObjectValueNode)
        for key in node.keys:
            inner = getattr(node, key, None)
            each_of = inner if isinstance(inner, list | tuple) else (inner,)
            waiting += [(each, inside) for each in each_of if isinstance(each, Node) and key not in {"name", "alias"}]


def _check_repeats(document: DocumentNode) -> None:
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


def _is_small(value: object) -> bool:
    return value is None or isinstance(value, int) or (isinstance(value, str) and len(value) <= LONGEST_TEXT)


def check_variables(variables: Mapping[str, object]) -> None:
    """Raises GraphQLError when variables are nested too deep, too many, or hold a text that is too long."""
    if len(variables) <= FEW_VALUES and all(map(_is_small, variables.values())):
        return
    level: list[object] = [variables]
    number = 0
    for _ in range(DEEPEST_VALUE):
        number += len(level)
        level = list(islice((inner for each in level for inner in _inner(each)), MOST_VALUES + 1))
        if number + len(level) > MOST_VALUES:
            raise refused(Code.TOO_MANY_VALUES, f"the variables hold more than {MOST_VALUES:,} values")
        if any(isinstance(each, str) and len(each) > LONGEST_TEXT for each in level):
            raise refused(Code.TOO_MANY_VALUES, f"a text among the variables has more than {LONGEST_TEXT:,} characters")
        if not level:
            return
    raise refused(Code.TOO_DEEP, f"variables are nested more than {DEEPEST_VALUE} deep")


def _inner(value: object) -> Iterator[object]:
    match value:
        case dict():
            yield from value.values()
        case list():
            yield from value
