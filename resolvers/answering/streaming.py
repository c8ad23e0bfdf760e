"""An operation answered result by result, whatever carries them: a query has one, a subscription one per event."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import anyio
import structlog
from graphql import ExecutionResult, GraphQLError, OperationType, subscribe

from graph.failures import kind_of, may_pass
from resolvers.answering.endpoint import PATIENCE_SECONDS, Prepared, RefusedError, expected, extensions_of
from resolvers.answering.guarded import schema_for, shown_to_viewer
from resolvers.answering.spans import span
from resolvers.answering.told import Told
from resolvers.asking import Asking, Progress
from resolvers.errors import Code, refused, with_code
from resolvers.viewer import Viewer
from resolvers.world import World


@dataclass(frozen=True, slots=True)
class Result:
    """One answer, ready to be written. sequence: after which a subscription goes on; failed: why there is no more."""

    content: Mapping[str, object]
    sequence: str | None = None
    failed: bool = False


async def answers_to(
    ready: Prepared, viewer: Viewer, world: World, resume: str | None = None, progress: Progress | None = None
) -> AsyncGenerator[Result, None]:
    """The answers to an operation, until there is none left or the service goes down; whoever stops earlier closes it.

    resume: after which sequence a subscription goes on, where the transport says so. progress: how far it is, for who
    tells that beside the answers. Raises RefusedError for what cannot be begun. What goes wrong later is the last
    answer.
    """
    context = Asking(viewer, world, progress)
    context.resume = resume
    if ready.operation.kind is not OperationType.SUBSCRIPTION:
        return _one(await _once(ready, context))
    return _each(await _begun(ready, context), context)


async def _one(result: Result) -> AsyncGenerator[Result, None]:
    yield result


async def _each(stream: AsyncIterator[ExecutionResult], context: Asking) -> AsyncGenerator[Result, None]:
    viewer, feed = context.viewer, context.world.feed
    try:
        with nullcontext() if feed is None else feed.listening(viewer.holder, viewer.bounds.subscriptions):
            async for result in stream:
                context.progress.said = context.sequence
                yield Result(shown(result, context.sequence), context.sequence)
                context.batching.stop()
    except Exception as error:  # noqa: BLE001 - the edge: whatever ended the events, who listens is told
        yield Result(_failure(error), failed=True)
    finally:
        with anyio.CancelScope(shield=True):
            await stream.aclose()  # type: ignore[attr-defined]  # graphql-core's mapped stream has it


async def _once(ready: Prepared, context: Asking) -> Result:
    try:
        with anyio.fail_after(PATIENCE_SECONDS), span("execute"):
            result = await shown_to_viewer(ready.document, ready.question, context, ready.operation.plans)
    except TimeoutError as error:
        raise RefusedError([refused(Code.TOO_SLOW)]) from error
    finally:
        context.batching.stop()
    content = shown(_begun_at_all(result))
    return Result({**content, "extensions": extensions_of(ready, context.viewer)})


async def _begun(ready: Prepared, context: Asking) -> AsyncIterator[ExecutionResult]:
    asked = ready.question
    if context.world.feed is not None:
        try:
            context.world.feed.check_room(context.viewer.holder, context.viewer.bounds.subscriptions)
        except GraphQLError as error:
            raise RefusedError([error]) from error
    try:
        with anyio.fail_after(PATIENCE_SECONDS):
            begun = subscribe(
                schema_for(ready.document, context.viewer),
                ready.document.node,
                context_value=context,
                variable_values=dict(asked.variables),
                operation_name=asked.operation,
            )
            stream = begun if isinstance(begun, ExecutionResult | AsyncIterator) else await begun
    except TimeoutError as error:
        raise RefusedError([refused(Code.TOO_SLOW)]) from error
    if isinstance(stream, ExecutionResult):
        raise RefusedError([with_code(expected(each), Code.VARIABLES_INVALID) for each in stream.errors or ()])
    return stream


def begun(ready: Prepared) -> Told:
    """What is told of an operation that has begun; how it ends is told to its caller alone."""
    return Told(ready.operation.kind.value, ready.document.digest, ready.cost)


def refusal_told(errors: Sequence[GraphQLError]) -> Told:
    """What is told of an operation that cannot be begun."""
    return Told(code=str((errors[0].extensions or {}).get("code", Code.UNEXPECTED.value)))


def _begun_at_all(result: ExecutionResult) -> ExecutionResult:
    """Raises RefusedError where the variables did not even fit."""
    if result.data is None and result.errors and all(error.path is None for error in result.errors):
        raise RefusedError([with_code(error, Code.VARIABLES_INVALID) for error in result.errors])
    return result


def shown(result: ExecutionResult, sequence: str | None = None) -> Mapping[str, object]:
    """A result as it is written; the sequence stands in its extensions, whether or not it was asked for."""
    content: dict[str, object] = {"data": result.data}
    if result.errors:
        content["errors"] = [expected(each).formatted for each in result.errors]
    if sequence is not None:
        content["extensions"] = {"sequence": sequence}
    return content


def _failure(error: Exception) -> Mapping[str, object]:
    """What those are told whose subscription ended in the middle; the cause stays in the log."""
    if isinstance(error, GraphQLError) and (error.extensions or {}).get("code"):
        meant = error
    elif may_pass(error):
        meant = refused(Code.DATABASE_AWAY)
    else:
        structlog.get_logger().error("a subscription failed", error=kind_of(error), exc_info=error)
        meant = refused(Code.UNEXPECTED)
    return {"errors": [meant.formatted]}
