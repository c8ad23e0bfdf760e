"""What a source says once of all its records, in the graph before the first of them."""

from graph.connection import Writer
from graph.interaction_names import name_kinds
from graph.namespaces import declare
from loaders.sources import Source


async def declare_source(writer: Writer, source: Source) -> None:
    """Record the namespaces of a source, and the kinds of its names; the same again has no effect.

    Raises NamespaceConflictError, NameConflictError, PolicyApplyingError, DatabaseAwayError.
    """
    if source.namespaces:
        await declare(writer, source.namespaces, source.name)
    await name_kinds(writer, source.kinds, source.name)
