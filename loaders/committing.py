"""Committing a group of messages when one of them may be impossible to write."""

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar

import msgspec
from opentelemetry.context import Context

from graph.failures import may_pass
from graph.ingestion import Outcome, Status
from identity.messages import Message, Rejection
from loaders.wire import bounded

AT_ONCE = 1_000
Commit = Callable[[Sequence[Message]], Awaitable[tuple[Outcome, ...]]]
# The contexts, as traces know them, of the requests whose messages are being committed.
SENT_IN: ContextVar[Sequence[Context]] = ContextVar("SENT_IN", default=())


async def commit_good(commit: Commit, messages: Sequence[Message]) -> tuple[Outcome, ...]:
    """Commit messages in one transaction; where one cannot be written, in several, and that one is rejected.

    Finding one bad message among n costs about 2 log n transactions. Raises what `commit` raises when the cause may
    pass; some of the messages may be committed then, and sending all again is right.
    """
    try:
        return await commit(messages)
    except Exception as error:  # whatever it is, it is raised again or becomes a rejection that says it
        if may_pass(error):
            raise
        if len(messages) == 1:
            return (_rejected(messages[0], error),)
    half = len(messages) // 2
    return (*await commit_good(commit, messages[:half]), *await commit_good(commit, messages[half:]))


async def commit_many(commit: Commit, messages: Sequence[Message]) -> list[Outcome]:
    """What became of each message, in groups of 1,000; raises what `commit_good` raises."""
    outcomes: list[Outcome] = []
    for start in range(0, len(messages), AT_ONCE):
        outcomes += await commit_good(commit, messages[start : start + AT_ONCE])
    return outcomes


def _rejected(message: Message, error: Exception) -> Outcome:
    sentence = f"it cannot be written: {str(error)[:300] or type(error).__name__}"
    raw = bounded(msgspec.json.encode(message, enc_hook=str))
    return Outcome(
        Status.REJECTED, rejection=Rejection("cannot_be_written", message.message_id, sentence, message.message_id, raw)
    )
