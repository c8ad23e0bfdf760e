"""Whatever is asked of /graphql is answered: documents made up from the schema by schemathesis, never a fault."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import anyio.to_thread
import httpx
import pytest
import schemathesis
from graphql import (
    ArgumentNode,
    BooleanValueNode,
    EnumValueNode,
    GraphQLInputObjectType,
    IntValueNode,
    ListValueNode,
    NameNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    parse,
    parse_type,
    print_ast,
    visit,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from graph.connection import Connection, connected
from resolvers.answering.executing import EXECUTABLE
from tests.house.reading import ROOT
from tests.serving import Neo4jAddress, empty
from tests.walks.sending import group, identify, track
from tests.walks.service import Company, differences, over_network

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

EXAMPLES = 3_000 if settings.get_current_profile_name() == "prove" else 25
PLAIN = (BooleanValueNode, EnumValueNode, IntValueNode, StringValueNode)
REFUSED = 503  # too slow, or the database is away: said so, and no fault
SCALARS = {
    "DateTime": st.datetimes().map(lambda moment: nodes.String(f"{moment.isoformat()}Z")),
    "JSON": st.booleans().map(nodes.Boolean) | st.text(max_size=9).map(nodes.String) | st.integers().map(nodes.Int),
}


@pytest.fixture(scope="module")
async def graph_of_all(neo4j_server: Neo4jAddress) -> AsyncIterator[Connection]:
    async with connected(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as connection:
        await empty(connection.writer)
        yield connection


@pytest.fixture(scope="module")
async def company(graph_of_all: Connection) -> AsyncIterator[Company]:
    """A service that knows a few people, and that is in order at the end, whatever was asked and decided."""
    async with over_network(graph_of_all) as running:
        people = [identify(name, on=f"{name}-1", email=f"{name}@acme.example") for name in ("ann", "bob", "cat")]
        await running.batch([*people, group("ann", "acme"), group("bob", "acme"), *(track("ann-1") for _ in range(9))])
        yield running
        assert await differences(graph_of_all) == ()


async def test_whatever_is_asked_is_answered_without_a_fault(company: Company) -> None:
    people = (await company.ask("{ profiles { edges { node { id } } } }"))["profiles"]["edges"]
    known = Known(tuple(each["node"]["id"] for each in people))
    await anyio.to_thread.run_sync(partial(_tried, company, known))


@dataclass(frozen=True)
class Known:
    """What there is to be found, which chance would hardly name."""

    ids: Sequence[str]
    users: Sequence[str] = ("ann", "bob", "cat")


def _tried(company: Company, known: Known) -> None:
    """In a thread beside the service, by somebody who may do everything."""
    for name, strategy in SCALARS.items():
        schemathesis.graphql.scalar(name, strategy)
    schema = schemathesis.graphql.from_file((ROOT / "schema.graphql").read_text("utf-8"))
    operations = [each.ok() for each in schema.get_all_operations()]
    headers = {"Authorization": f"Bearer {company.admin_key}"}

    @settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(case=st.sampled_from(operations).flatmap(lambda each: each.as_strategy()))
    def tried(case: schemathesis.Case) -> None:
        asked, names = _with_variables(_meant(str(case.body), known))
        nothing: dict[str, object] = dict.fromkeys(names)
        with httpx.Client(base_url=company.http.base_url, headers=headers, timeout=60) as http:
            for variables in ({}, {}, nothing, dict.fromkeys(names, "-1")):  # from the second on by a plan
                answer = http.post("/graphql", json={"query": asked, "variables": variables})
                assert answer.status_code < 500 or answer.status_code == REFUSED, (asked, variables, answer.text)
                codes = [each["extensions"]["code"] for each in answer.json().get("errors", ())]
                assert "unexpected" not in codes, (asked, variables, answer.text)

    tried()


def _meant(text: str, known: Known) -> str:
    """The same with one choice wherever the schema wants one of several, and mostly of what there is."""
    types = TypeInfo(EXECUTABLE)
    return print_ast(visit(parse(text), TypeInfoVisitor(types, _Meaning(types, known))))


def _with_variables(text: str) -> tuple[str, Sequence[str]]:
    """The same with a variable for each plain argument, whose default is what stood there; and their names."""
    types = TypeInfo(EXECUTABLE)
    varying = _Varying(types)
    return print_ast(visit(parse(text), TypeInfoVisitor(types, varying))), tuple(varying.defined)


class _Varying(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.defined: dict[str, VariableDefinitionNode] = {}

    def leave_argument(self, node: ArgumentNode, *_: object) -> ArgumentNode | None:
        argument = self.types.get_argument()
        if argument is None or not isinstance(node.value, PLAIN):
            return None
        name = f"v{len(self.defined)}"
        variable = VariableNode(name=NameNode(value=name))
        self.defined[name] = VariableDefinitionNode(
            variable=variable, type=parse_type(str(argument.type).removesuffix("!")), default_value=node.value
        )
        return replace(node, value=variable)

    def leave_operation_definition(self, node: OperationDefinitionNode, *_: object) -> OperationDefinitionNode:
        return replace(node, variable_definitions=tuple(self.defined.values()))


class _Meaning(Visitor):
    def __init__(self, types: TypeInfo, known: Known) -> None:
        super().__init__()
        self.types, self.known, self.met = types, known, 0

    def leave_object_value(self, node: ObjectValueNode, *_: object) -> ObjectValueNode | None:
        kind = get_named_type(self.types.get_input_type())
        if not isinstance(kind, GraphQLInputObjectType):
            return None
        if kind.is_one_of:
            given = [each for each in node.fields or () if not isinstance(each.value, NullValueNode)]
            return replace(node, fields=tuple(given[:1]) or self._choice(kind))
        self.met += 1
        if kind.name == "IdentifierLookup" and self.met % 3:
            return self._somebody()
        return None

    def _choice(self, kind: GraphQLInputObjectType) -> tuple[ObjectFieldNode, ...]:
        choices: dict[str, ValueNode] = {
            "identifier": self._somebody(),
            "identifiers": ListValueNode(values=(self._somebody(),)),
            "all": ListValueNode(values=()),
            "id": StringValueNode(value=self.known.ids[0]),
            "days": IntValueNode(value="9"),
        }
        return tuple(_field(name, value) for name, value in choices.items() if name in kind.fields)[:1]

    def _somebody(self) -> ObjectValueNode:
        value = self.known.users[self.met % len(self.known.users)]
        named = (("namespace", "user_id"), ("value", value))
        return ObjectValueNode(fields=tuple(_field(name, StringValueNode(value=text)) for name, text in named))

    def leave_string_value(self, node: StringValueNode, *_: object) -> StringValueNode | None:
        kind = get_named_type(self.types.get_input_type())
        self.met += 1
        if kind is None or kind.name != "ID" or not self.met % 3:
            return None
        return replace(node, value=self.known.ids[self.met % len(self.known.ids)])


def _field(name: str, value: ValueNode) -> ObjectFieldNode:
    return ObjectFieldNode(name=NameNode(value=name), value=value)
