"""What the docs show of GraphQL: every fenced block of it, in the order of the pages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

import orjson
from graphql import (
    ArgumentNode,
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    NameNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    print_ast,
    visit,
)

from identity.messages import Json
from resolvers.answering.executing import EXECUTABLE
from tests.house.reading import ROOT

Named = TypeVar("Named", OperationDefinitionNode, FragmentDefinitionNode, FragmentSpreadNode)
BLOCK = re.compile(r"```graphql\n(?P<text>.*?)```(?:\n+```json\n(?P<json>.*?)```)?", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block of a page. number: which of the page's, from 1; said: the JSON that follows it, if any does."""

    page: str
    number: int
    text: str
    said: Json = None

    def __str__(self) -> str:
        return f"{self.page}:{self.number}"

    @property
    def document(self) -> DocumentNode:
        return parse(self.text)

    @property
    def operations(self) -> Sequence[OperationDefinitionNode]:
        return [each for each in self.document.definitions if isinstance(each, OperationDefinitionNode)]

    @property
    def variables(self) -> Mapping[str, Json]:
        """The JSON after a block are its variables where it has any; else it is what is answered."""
        return self.said if self.said and not self.answered else {}

    @property
    def answered(self) -> bool:
        """Whether its page says what it is answered, which is so in a story of the page's own."""
        return self.said is not None and not any(each.variable_definitions for each in self.operations)

    def named(self) -> str:
        """The same with names that no other block has, so that all of them can stand beside each other."""
        prefix = f"{self.page.removesuffix('.md').title().replace('-', '')}{self.number}"
        return print_ast(visit(self.document, _Prefixing(prefix)))


@cache
def blocks() -> tuple[Block, ...]:
    """Every block that can be executed; one that only defines types shows a part of the schema."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return tuple(
        block
        for page in pages
        for number, found in enumerate(BLOCK.finditer(page.read_text("utf-8")), 1)
        if _executable(block := Block(page.name, number, found["text"], _said(found["json"])))
    )


def _said(text: str | None) -> Json:
    return None if text is None else orjson.loads(text)


def _executable(block: Block) -> bool:
    return any(isinstance(each, ExecutableDefinitionNode) for each in block.document.definitions)


class _Prefixing(Visitor):
    def __init__(self, prefix: str) -> None:
        super().__init__()
        self.prefix = prefix

    def _renamed(self, node: Named, *_: object) -> Named:
        name = f"{self.prefix}{node.name.value if node.name else ''}"
        return replace(node, name=NameNode(value=name))

    enter_operation_definition = enter_fragment_definition = enter_fragment_spread = _renamed


def resized(document: DocumentNode, size: int) -> str:
    """The same asking for pages of this size, wherever a field takes `first`."""
    types = TypeInfo(EXECUTABLE)
    return print_ast(visit(document, TypeInfoVisitor(types, _Resizing(types, size))))


class _Resizing(Visitor):
    def __init__(self, types: TypeInfo, size: int) -> None:
        super().__init__()
        self.types, self.size = types, size

    def leave_field(self, node: FieldNode, *_: object) -> FieldNode | None:
        field = self.types.get_field_def()
        if field is None or "first" not in field.args:
            return None
        kept = [each for each in node.arguments or () if each.name.value != "first"]
        first = ArgumentNode(name=NameNode(value="first"), value=IntValueNode(value=str(self.size)))
        return replace(node, arguments=(*kept, first))
