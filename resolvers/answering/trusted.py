"""Which document a request means: its text, the hash of one that was sent before, or the id of one that is trusted.

Trusted documents are read once when the service starts, from what the build of a front-end writes: Apollo's manifest
(`generate-persisted-query-manifest`), Relay's map of ids and texts (`persistConfig`), or any such map. They are kept
for good with their plans. Automatic persisted queries (APQ) are remembered by their hash as long as there is room; the
last link of Apollo Client and urql's exchange send the text again when one is forgotten.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from hashlib import sha256

import orjson
from graphql import GraphQLError

from resolvers.answering.documents import Document, make_room, pinned, read_document
from resolvers.answering.limits import check_size
from resolvers.answering.requests import Asked
from resolvers.errors import Code, refused
from resolvers.viewer import Bounds, Trusted

MOST_CHARACTERS = 5_000_000
MOST_TOLD = 20  # of what is wrong in a manifest
HASHED = "sha256:"
APOLLO = "apollo-persisted-query-manifest"

SENT: OrderedDict[str, str] = OrderedDict()  # by hash; the one asked for last is the last


def text_meant(asked: Asked, bounds: Bounds) -> str:
    """The text of the document that is asked. Raises GraphQLError when it is unknown, or may not be asked."""
    if asked.query:
        return _sent(asked.query, asked.hash, bounds)
    name = asked.document or asked.hash or ""
    text = bounds.trusted.texts.get(name) or bounds.trusted.texts.get(HASHED + name)
    if text is not None:
        return text
    if bounds.documents_only or asked.document:
        raise refused(Code.DOCUMENT_NOT_TRUSTED, None if not asked.document else "no trusted document has this id")
    text = SENT.get(name)
    if text is None:
        raise refused(Code.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")
    SENT.move_to_end(name)
    return text


def _sent(text: str, hashed: str | None, bounds: Bounds) -> str:
    if bounds.documents_only and text not in bounds.trusted.known:
        raise refused(Code.DOCUMENT_NOT_TRUSTED)
    # The id of a manifest, which Apollo Client sends in the place of the hash, need not be one.
    if hashed is not None and bounds.trusted.texts.get(hashed) != text and _hash(text) != hashed:
        raise refused(Code.HASH_WRONG)
    return text


def remember(asked: Asked) -> None:
    """Remember a valid document that came with its hash, until others need the room."""
    if asked.hash is None or not asked.query or asked.hash in SENT or _hash(asked.query) != asked.hash:
        return
    SENT[asked.hash] = asked.query
    make_room(SENT, MOST_CHARACTERS, lambda _, text: len(text))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def trusted_from(manifest: bytes) -> Trusted | list[str]:
    """The trusted documents that a manifest lists, kept for good; else what is wrong with it, each with its entry."""
    try:
        entries = list(_entries(orjson.loads(manifest)))
    except (orjson.JSONDecodeError, TypeError, KeyError) as error:
        return [f"it is no manifest of documents: {error}"]
    texts: dict[str, str] = {}
    problems: list[str] = []
    for id_, entry, text in entries:
        found = read_document(text)
        problems += [f"{entry}: {problem}" for problem in _problems(found)]
        if texts.setdefault(id_, text) != text:
            problems.append(f"{entry}: another entry has this id")
        if isinstance(found, Document):
            pinned(text, found)
    hashes = {HASHED + _hash(text): text for text in texts.values()}
    return problems[:MOST_TOLD] or Trusted(hashes | texts, frozenset(texts.values()))


def _problems(found: Document | list[GraphQLError]) -> list[str]:
    if not isinstance(found, Document):
        return [each.message for each in found]
    try:
        for operation in found.operations.values():
            check_size(operation.size)
    except GraphQLError as error:
        return [error.message]
    return []


def _entries(read: object) -> Iterator[tuple[str, str, str]]:
    """Of each entry its id, as what it is told to people, and its text. Raises TypeError, KeyError."""
    if not isinstance(read, dict):
        raise TypeError("the file is no JSON object")
    if "operations" in read and not isinstance(read["operations"], str):
        if (read.get("format"), read.get("version")) != (APOLLO, 1):
            raise TypeError(f"`format` and `version` of a list of `operations` are `{APOLLO}` and 1")
        yield from map(_of_apollo, read["operations"])
        return
    for id_, text in read.items():
        if not isinstance(text, str):
            raise TypeError(f"the document of `{id_[:80]}` is no text")
        yield id_, f"`{id_[:80]}`", text


def _of_apollo(operation: object) -> tuple[str, str, str]:
    given: Mapping[str, object] = operation if isinstance(operation, dict) else {}
    id_, name, body = given.get("id"), given.get("name"), given.get("body")
    if not isinstance(id_, str) or not isinstance(body, str):
        raise TypeError("an operation has no `id` or no `body`")
    return id_, f"`{str(name or id_)[:80]}`", body
