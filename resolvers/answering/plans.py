"""Plans: operations that come again are compiled once, and answered by what was compiled.

What resolvers have to wait for is gathered level by level, so that loaders batch as they do under graphql-core.
A plan answers what goes well. It raises where a resolver does, or where a null stands in a place that has none; then
graphql-core executes the operation with the same loaders, so that every error and every partial answer is its own
(tests/resolvers/answering/test_plans.py, property). Introspection and mutations have no plan.
"""

from asyncio import gather
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    DirectiveNode,
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    Visitor,
    visit,
)
from graphql.execution import Executor
from graphql.execution.values import VariableValues

from resolvers.answering.arguments import Values, reading, variables_in
from resolvers.answering.compiling import Run, UnplannedError, Waiting, compiled, most_places, right
from resolvers.answering.fields import EXECUTABLE
from resolvers.answering.leaves import Answer
from resolvers.asking import Asking

MOST_SWITCHES = 4
MOST_PLANS = 4  # of one operation


@dataclass(slots=True)
class Planned:
    """The plans of an operation: for each way in which its variables switch parts on and off, made when asked.

    For who sees no personal data there are others.
    read: what reads its variables.
    used: whether it was executed before; a document that comes once is not worth a plan.
    """

    document: DocumentNode
    operation: OperationDefinitionNode
    switches: tuple[str, ...]
    read: Callable[[Mapping[str, object]], Values]
    plans: dict[tuple[object, ...], Answer | None] = field(default_factory=dict)
    used: bool = False

    def again(self) -> bool:
        """Whether it was executed before; from now on it was."""
        used, self.used = self.used, True
        return used


def planned(document: DocumentNode, operation: OperationDefinitionNode) -> Planned | None:
    """The plans of an operation of a valid document; None where there can be none."""
    switches = tuple(sorted(_switches(document)))
    if operation.operation is not OperationType.QUERY or len(switches) > MOST_SWITCHES:
        return None
    return Planned(document, operation, switches, reading(EXECUTABLE, operation))


def _switches(document: DocumentNode) -> set[str]:
    """The variables by which directives leave out or include; of any operation, which makes some plans twice."""
    found = set[str]()

    class Switches(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: object) -> None:
            found.update(variables_in(node))

    visit(document, Switches())
    return found


async def answer_of(
    plans: Planned, variables: Mapping[str, object], context: Asking, *, guarded: bool = False
) -> dict[str, object] | None:
    """The data of the answer; None where graphql-core has to say it, since there is no plan or something is amiss.

    guarded: for who has not `pii:read`.
    """
    coerced = plans.read(variables)
    if not isinstance(coerced, VariableValues):
        return None
    key = (guarded, *(coerced.coerced.get(name) for name in plans.switches))
    if key not in plans.plans:
        if len(plans.plans) >= MOST_PLANS:
            return None
        plans.plans[key] = _made(plans, coerced, guarded=guarded)
    root = plans.plans[key]
    if root is None:
        return None
    try:
        return await _answered(root, Run(context, coerced))
    except UnplannedError:
        plans.plans[key] = None
        return None


async def _answered(root: Answer, run: Run) -> dict[str, object] | None:
    """What the plan says, waiting level by level; None when anything went wrong, which is graphql-core's to report.

    Raises UnplannedError for a value of a type whose fields are more than a plan may have.
    """
    try:
        data = root(None, run)
        while run.waiting:
            now, run.waiting = run.waiting, []
            for each, value in zip(now, await _had(now), strict=True):
                each.shown[each.name] = each.complete(right(value), run)
    except UnplannedError:
        await _had(run.waiting)
        raise
    except Exception:  # noqa: BLE001 -- graphql-core meets it again, and reports it
        await _had(run.waiting)  # what was begun is what graphql-core will ask for; the loaders keep it
        return None
    assert isinstance(data, dict)  # noqa: S101 -- the root is an object
    return data


async def _had(waiting: Sequence[Waiting]) -> Sequence[object]:
    """What was waited for, or the exception that came instead."""
    if len(waiting) == 1:
        try:
            return [await waiting[0].value]
        except Exception as error:  # noqa: BLE001 -- as `gather` does with several
            return [error]
    return await gather(*(each.value for each in waiting), return_exceptions=True)


def _made(plans: Planned, variables: VariableValues, *, guarded: bool) -> Answer | None:
    name = plans.operation.name.value if plans.operation.name else None
    sent = {name: source.value for name, source in variables.sources.items() if source.value is not Undefined}
    built = Executor.build(EXECUTABLE, plans.document, operation_name=name, raw_variable_values=sent)
    if not isinstance(built, Executor) or EXECUTABLE.query_type is None:
        return None
    # Only what switches parts on and off is of the plan; all else is of one request, and not to be remembered.
    built.variable_values = VariableValues(
        *({name: each[name] for name in plans.switches if name in each} for each in variables)
    )
    try:
        return compiled(built, EXECUTABLE.query_type, most_places(_text(plans.operation)), guarded=guarded)
    except (UnplannedError, GraphQLError):  # the latter of a null that decides on a part: graphql-core reports it
        return None


def _text(operation: OperationDefinitionNode) -> str:
    return operation.loc.source.body if operation.loc is not None else ""
