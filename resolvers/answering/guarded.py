"""The schema for those from whom something is hidden.

Whoever sees all is answered by resolvers that know of no rule, so that the rules cost nothing per field. Whoever does
not is answered by the same resolvers inside their rules. A document that touches nothing personal is executed as for
everybody, unless the viewer is restricted to accounts.
"""

from graphql import (
    ExecutionResult,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
)

from resolvers.answering.documents import Document
from resolvers.answering.executing import executed
from resolvers.answering.fields import EXECUTABLE, lean
from resolvers.answering.plans import Planned
from resolvers.answering.requests import Asked
from resolvers.asking import Asking
from resolvers.masking import Resolve, masked
from resolvers.rows import cut
from resolvers.schema import made
from resolvers.viewer import Viewer


def _guarded(made: GraphQLSchema) -> GraphQLSchema:
    for kind in made.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                if field.resolve is not None:
                    field.resolve = _ruled(kind.name, name, field.type, field.resolve)
    return made


def _ruled(kind: str, name: str, leads_to: GraphQLOutputType, resolve: Resolve) -> Resolve:
    hidden, rows = masked(kind, name, resolve), cut(kind, name, leads_to)

    def ruled(source: object, info: GraphQLResolveInfo[Asking], **given: object) -> object:
        viewer = info.context.viewer
        shown = resolve if viewer.pii else hidden
        return rows(shown, source, info, given) if viewer.accounts else shown(source, info, **given)

    return ruled


GUARDED = _guarded(lean(made()._schema))  # noqa: SLF001 -- Strawberry has no public name for it


def schema_for(document: Document, viewer: Viewer) -> GraphQLSchema:
    """The schema by which a document is executed for a viewer."""
    return EXECUTABLE if viewer.sees_all or not (document.personal or viewer.accounts) else GUARDED


async def shown_to_viewer(
    document: Document, asked: Asked, context: Asking, plans: Planned | None = None
) -> ExecutionResult:
    """The result of an operation of a valid document, as far as the viewer may see it; errors are in it."""
    guarded = schema_for(document, context.viewer) is GUARDED
    return await executed(
        document.node,
        asked.variables,
        asked.operation,
        context,
        None if context.viewer.accounts else plans,  # there is none that cuts rows
        GUARDED if guarded else None,
    )
