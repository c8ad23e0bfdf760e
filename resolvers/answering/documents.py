"""Documents: parsed, validated and measured once for each text, then remembered.

Parsing and validating cost 1.7 ms, four times the execution (design.md §7); a front-end sends the same few texts.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSyntaxError,
    MaxIntrospectionDepthRule,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)

from resolvers.answering.crowds import MOST_TOKENS, check_crowds, check_text
from resolvers.answering.fields import EXECUTABLE
from resolvers.answering.limits import Size, size_of
from resolvers.answering.plans import Planned, planned
from resolvers.errors import Code, refused, with_code
from resolvers.masking import hidden_among, personal_fields

T = TypeVar("T")
# Of the texts that are remembered together: a document with its plan takes up to 250 bytes for each.
MOST_CHARACTERS = 400_000
LONGEST_REMEMBERED = 20_000
MOST_ERRORS = 20
# Limits of graphql-core's parser, as its sentences speak of them.
SPOKEN = {f"more than {MOST_TOKENS} tokens": Code.TOO_LONG, "nested too deeply": Code.TOO_DEEP}
RULES = (*specified_rules, MaxIntrospectionDepthRule)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document, how large it is, and its plans where it can have some."""

    kind: OperationType
    size: Size
    plans: Planned | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document. operations: by name; None for one without a name.

    personal: the fields in it that are not just shown to everybody, as `Type.field`; masked: those of them that are
    answered with something else than their value, sorted. digest: the start of its SHA-256.
    """

    node: DocumentNode
    operations: Mapping[str | None, Operation]
    personal: frozenset[str] = frozenset()
    masked: Sequence[str] = ()
    digest: str = ""


def document_of(text: str) -> Document | list[GraphQLError]:
    """The document in a text, or everything that is wrong with it."""
    known = KNOWN.get(text)
    if known is not None:
        KNOWN.move_to_end(text)
        return known
    if text in PINNED:
        return PINNED[text]
    found = read_document(text)
    if len(text) <= LONGEST_REMEMBERED:
        _remember(text, found)
    return found


def read_document(text: str) -> Document | list[GraphQLError]:
    """The same, read anew."""
    try:
        check_text(text)
        node = parse(text, max_tokens=MOST_TOKENS)
        check_crowds(node)
    except GraphQLSyntaxError as error:
        return [with_code(error, next((code for words, code in SPOKEN.items() if words in error.message), Code.SYNTAX))]
    except GraphQLError as error:
        return [error]
    errors = validate(EXECUTABLE, node, RULES, MOST_ERRORS)
    if errors:
        return [with_code(error, Code.QUERY_INVALID) for error in errors]
    fragments = {each.name.value: each for each in node.definitions if isinstance(each, FragmentDefinitionNode)}
    operations = (each for each in node.definitions if isinstance(each, OperationDefinitionNode))
    personal = personal_fields(node, EXECUTABLE)
    return Document(
        node,
        {
            each.name.value if each.name else None: Operation(
                each.operation, size_of(each, fragments, EXECUTABLE), planned(node, each)
            )
            for each in operations
        },
        personal,
        hidden_among(personal),
        sha256(text.encode()).hexdigest()[:16],
    )


Known = Document | list[GraphQLError]
KNOWN: OrderedDict[str, Known] = OrderedDict()  # the one asked for last is the last


PINNED: dict[str, Document] = {}  # those that are trusted: as many as the service's own front-ends ask


def pinned(text: str, document: Document) -> None:
    """Remember a document for good."""
    PINNED[text] = document
    KNOWN.pop(text, None)


def _remember(text: str, found: Known) -> None:
    KNOWN[text] = found
    make_room(KNOWN, MOST_CHARACTERS, lambda text, _: len(text))


def make_room(remembered: OrderedDict[str, T], most: int, length: Callable[[str, T], int]) -> None:
    """Forget what was asked for longest ago, until what is left is no longer than may be."""
    characters = sum(length(*each) for each in remembered.items())
    while characters > most:
        characters -= length(*remembered.popitem(last=False))


def operation_in(document: Document, name: str | None) -> Operation:
    """The operation to execute. Raises GraphQLError when the name leaves it open, or names none."""
    if name is not None:
        found = document.operations.get(name)
        if found is None:
            raise refused(Code.QUERY_INVALID, f"the document has no operation `{name[:80]}`")
        return found
    if len(document.operations) != 1:
        raise refused(Code.QUERY_INVALID, "the document has several operations, or none: say which by `operationName`")
    return next(iter(document.operations.values()))
