"""Replaying dead letters: their kept texts are read again, through the mapping as it is now, and loaded.

What is loaded leaves the list after its messages were committed; a replay that is killed in between finds it again, and
its messages known. What fails again stays with its new reason, and what was not kept whole stays as it is and says so.
"""

import csv
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO

from graph.dead_letters import Chosen, DeadLetter, ReadBy, RunId, chosen_letters, count_letters, settle_letters
from graph.ingestion import Outcome, Status
from graph.runs import Counts, Form, Run, runs_named
from identity.erasure import ERASED
from identity.messages import Authority, Json, Rejection, SourceName
from identity.requests import Asked
from loaders.committing import commit_many
from loaders.errors import MappingInvalidError
from loaders.formats.records import STREAM, Found
from loaders.mapping import SourceMapping
from loaders.runs import SHOWN_REJECTIONS, Into
from loaders.segment_messages import Sending, message_from
from loaders.sources import Source
from loaders.translating import Translated, of_a_file, translated, translated_message
from loaders.wire import UnreadableJsonError, bounded, json_value, was_cut

# A place without the part that was wrong in a message: `web.jsonl:3` of `web.jsonl:3.type`, `people:id=7`, `batch[3]`.
PLACE = re.compile(r".*:\d+|.*:[^:=]+=-?\d+|[\w.:-]+\[\d+\]|\w+")
# What is kept of these is not what was sent: a part of it, or a text in which unreadable bytes were replaced.
ALTERED = {
    "line_too_long": "only the beginning of its text was kept",
    "broken_encoding": "its text was not readable as it was sent; mend the file and load it again",
}


@dataclass(frozen=True, slots=True)
class How:
    """How dead letters are read again.

    mapping: for all of them, else each goes through the mapping that it names, which `named` finds as it is now, for
    the source of the letter (it raises MappingInvalidError); what names none is a Segment-shaped message. kind: of
    those messages that do not say it themselves. authority: how far those are believed. ask: keeps what letters of
    signed webhooks ask to have done.
    """

    named: Callable[[ReadBy, SourceName], SourceMapping]
    mapping: SourceMapping | None = None
    kind: str | None = None
    authority: Authority = Authority.CLAIMED
    ask: Callable[[Sequence[Asked]], Awaitable[None]] | None = None


@dataclass(slots=True)
class Replayed:
    """What became of dead letters. counts: of their messages; the records are the letters.

    loaded: letters that left the list, of which `counts.skipped` are passed over by the mapping as it is now.
    failed: that stay, with a new reason. kept: that stay as they are, by why they cannot be replayed.
    """

    counts: Counts = field(default_factory=Counts)
    loaded: int = 0
    failed: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    rejections: list[Rejection] = field(default_factory=list)


Told = Callable[[int, int], None]


async def replay(chosen: Chosen, how: How, into: Into, *, dry: bool = False, tell: Told | None = None) -> Replayed:
    """Load dead letters again, in the order of their ids; doing it twice is harmless.

    dry: the list stays as it is; whether anything is loaded, `into.commit` decides. Raises DatabaseAwayError, and then
    the same call goes on.
    """
    done, settled, after, seen = Replayed(), set[str](), "", 0
    size = await count_letters(into.connection.reader, chosen)
    while letters := await chosen_letters(into.connection.reader, chosen, after):
        after, seen = letters[-1].id, seen + len(letters)
        page = [letter for letter in letters if letter.id not in settled]
        loaded, failed = await _page(page, replace(how, ask=None) if dry else how, into, done)
        if not dry:
            settled |= {*await settle_letters(into.connection.writer, loaded, failed, into.hashing)}
        if tell is not None:
            tell(min(seen, size), size)
    return done


async def _page(
    letters: Sequence[DeadLetter], how: How, into: Into, done: Replayed
) -> tuple[list[DeadLetter], list[tuple[DeadLetter, Rejection]]]:
    """The letters of a page that were loaded, and those that failed again, each with its reason."""
    runs = await runs_named(into.connection.reader, [each.run for each in letters if each.run is not None])
    reader = _Reader(how, runs)
    read = [(letter, reader.read(letter)) for letter in letters]
    good = [(letter, each) for letter, each in read if isinstance(each, Translated)]
    done.kept.update(each for _, each in read if isinstance(each, str))
    outcomes = iter(await commit_many(into.commit, [message for _, each in good for message in each.messages]))
    if how.ask is not None:
        await how.ask([request for _, each in good for request in each.asked])
    loaded: list[DeadLetter] = []
    failed: list[tuple[DeadLetter, Rejection]] = []
    for letter, each in good:
        became = [next(outcomes) for _ in each.messages]
        reason = each.rejection or _refused(letter, became)
        if reason is None:
            loaded.append(letter)
        else:
            failed.append((replace(letter, read_by=reader.used(letter)), reason))
        done.counts += _counts(each, became)
    done.loaded += len(loaded)
    done.failed += len(failed)
    done.rejections += [reason for _, reason in failed][: SHOWN_REJECTIONS - len(done.rejections)]
    return loaded, failed


def _refused(letter: DeadLetter, became: Sequence[Outcome]) -> Rejection | None:
    """Why a letter stays, where one of its messages was refused; the others are committed, and known next time."""
    found = next((each.rejection for each in became if each.rejection is not None), None)
    said = letter.rejection
    return None if found is None else replace(found, place=_place(said.place), raw=bounded(said.raw or ""))


def _counts(read: Translated, became: Sequence[Outcome]) -> Counts:
    found = Counter(each.status for each in became)
    return Counts(
        records=1,
        messages=len(read.messages),
        committed=found[Status.COMMITTED],
        repeats=found[Status.REPEAT],
        differing=found[Status.REPEAT_DIFFERS],
        rejected=found[Status.REJECTED] + (read.rejection is not None),
        skipped=read.skipped is not None,
        warned=sum(bool(each.warnings) for each in became),
        erased=found[Status.ERASED],
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    how: How
    runs: Mapping[RunId, Run]
    found: dict[tuple[ReadBy, SourceName], SourceMapping | str] = field(default_factory=dict)

    def read(self, letter: DeadLetter) -> Translated | str:
        """What a letter gives now, or why its text cannot be read again."""
        raw = letter.rejection.raw
        if raw is None or raw == ERASED:
            return "its text was not kept" if raw is None else "its text told of somebody who was erased"
        if letter.rejection.code in ALTERED or was_cut(raw):
            return ALTERED.get(letter.rejection.code, ALTERED["line_too_long"])
        run = self.runs.get(letter.run) if letter.run is not None else None
        mapping = self._mapping(letter)
        if isinstance(mapping, str):
            return mapping
        form = run.form if run else None
        if mapping is None:
            return self._message(letter, raw, form)
        found = record_again(raw, _place(letter.rejection.place), form)
        return _mapped(found, mapping, letter) if isinstance(found, Found) else _unreadable(found)

    def used(self, letter: DeadLetter) -> ReadBy | None:
        """The mapping that a letter went through now."""
        by, found = self._read_by(letter), self._mapping(letter)
        if isinstance(found, str) or found is None:
            return by
        return ReadBy(found.file, found.sha256, found.given, by.webhook if by else None)

    def _read_by(self, letter: DeadLetter) -> ReadBy | None:
        """What a letter names; of one that was kept before letters named it, what its load had."""
        run = self.runs.get(letter.run) if letter.run is not None else None
        return letter.read_by or (run.load.read_by if run is not None else None)

    def _mapping(self, letter: DeadLetter) -> SourceMapping | str | None:
        """The mapping that a letter goes through; a text says why there is none."""
        if self.how.mapping is not None:
            return _fitting(self.how.mapping, letter.source)
        by = self._read_by(letter)
        if by is None:
            return None
        key = (replace(by, sha256=None), letter.source)
        if key not in self.found:
            self.found[key] = self._named(by, letter.source)
        found = self.found[key]
        return found if isinstance(found, str) else _fitting(found, letter.source)

    def _named(self, by: ReadBy, source: SourceName) -> SourceMapping | str:
        try:
            return self.how.named(by, source)
        except MappingInvalidError as error:
            return f"its mapping cannot be used, name another with --mapping: {error}"

    def _message(self, letter: DeadLetter, raw: str, form: Form | None) -> Translated:
        """received: when it was first met, so that its own time is judged as it would have been then."""
        source = Source(name=letter.source, authority=self.how.authority)
        kind, place = None if _says_type(raw) else self.how.kind, _place(letter.rejection.place)
        sending = Sending(source, letter.at, kind=kind, stand_in=_stand_in(place, form))
        return translated_message(message_from(raw.encode(), place, sending))


def _unreadable(why: Rejection | str) -> Translated | str:
    return why if isinstance(why, str) else Translated(rejection=why)


def _mapped(found: Found, mapping: SourceMapping, letter: DeadLetter) -> Translated:
    """What only a letter of a webhook may ask: that was signed."""
    read = translated(found, mapping, letter.at)
    return read if letter.read_by is not None and letter.read_by.webhook else of_a_file(read)


def _fitting(mapping: SourceMapping, source: SourceName) -> SourceMapping | str:
    if mapping.source.name == source:
        return mapping
    return f"the mapping {mapping.file} is for the source {mapping.source.name}, not for {source}"


def _place(place: str) -> str:
    found = PLACE.match(place)
    return found[0] if found else place


def _stand_in(place: str, form: Form | None) -> str | None:
    """The id that a record of a stream has from its place, if it has no own."""
    return place if form is not None and form.format == STREAM else None


def _says_type(raw: str) -> bool:
    try:
        read = json_value(raw.encode())
    except UnreadableJsonError:
        return False
    return isinstance(read, dict) and read.get("type") is not None


def record_again(raw: str, place: str, form: Form | None) -> Found | Rejection | str:
    """The record that a kept text stands for; form: of the load that met it, None for JSON that was sent.

    A row of a CSV file has no names of its own: without the columns of its file a text says that it cannot be read.
    """
    if form is None and not raw.lstrip().startswith(("{", "[")):
        return "it is no JSON, and what columns its file had is not known; load the file again"
    if form is not None and form.format == "csv":
        return _row_again(raw, place, form)
    try:
        return Found(json_value(raw.encode()), place, raw, _stand_in(place, form))
    except UnreadableJsonError as error:
        return Rejection("not_json", place, f"this is no JSON that can be read: {error}", raw=raw)


def _row_again(raw: str, place: str, form: Form) -> Found | Rejection:
    try:
        rows = list(csv.reader(StringIO(raw, newline=""), delimiter=form.delimiter or ",", strict=True))
    except csv.Error as error:
        return Rejection("broken_row", place, f"the quotes do not fit: {error}", raw=raw)
    if len(rows) != 1 or len(rows[0]) != len(form.columns):
        sentence = f"the row has {len(rows[0]) if rows else 0} cells, the header {len(form.columns)}"
        return Rejection("wrong_columns", place, sentence, raw=raw)
    record: dict[str, Json] = {name: cell or None for name, cell in zip(form.columns, rows[0], strict=True)}
    return Found(record, place, raw)
