"""Bodies of requests: received within a limit, and worked on where others need not wait for it."""

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request

from loaders.errors import BodyStalledError, BodyTooLargeError
from loaders.segment_http import BODY_LIMIT

LARGE = 128 * 1024  # bytes; to read a body of 5 MB takes a second, which other requests shall not wait for
SILENCE_SECONDS = 30  # without a byte: a network that was cut without a word, or a client that keeps connections open
P = ParamSpec("P")
T = TypeVar("T")


async def received(request: Request) -> bytes:
    """The body as it was sent; no more than the limit is ever held.

    Raises BodyTooLargeError, BodyStalledError, ClientDisconnect.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        with anyio.fail_after(SILENCE_SECONDS) as patience:
            async for chunk in request.stream():
                size += len(chunk)
                if size > BODY_LIMIT:
                    raise BodyTooLargeError("body", f"more than {BODY_LIMIT:,} bytes; send fewer messages at once")
                chunks.append(chunk)
                patience.deadline = anyio.current_time() + SILENCE_SECONDS
    except TimeoutError as error:
        sentence = f"nothing came for {SILENCE_SECONDS} s after {size:,} bytes; send it again"
        raise BodyStalledError(sentence) from error
    return b"".join(chunks)


async def aside(body: bytes, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The answer of some work on a body, in a thread of its own where the body is large."""
    if len(body) <= LARGE:
        return work(*args, **kwargs)
    return await anyio.to_thread.run_sync(partial(work, *args, **kwargs))
