"""`selfsame deadletters`: the records that could not be used, listed, replayed and dropped."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import typer

from graph.dead_letters import Chosen, DeadLetter, ReadBy, RunId, count_letters, dead_letters, drop_letters
from graph.ingestion import Outcome, try_batch
from graph.pending import drain_pending
from graph.requests import Handling, record_requests
from graph.tombstones import check_key
from identity.messages import Message, MessageKind, SourceName, micros
from identity.requests import Asked
from loaders.mapping import AUTHORITIES, SourceMapping, mapping_named
from loaders.mapping_text import Local
from loaders.replaying import How, Replayed, replay
from selfsame.cli.exits import Exit, finish, told
from selfsame.cli.load import With, given_from, into
from selfsame.cli.reaching import reached_in_sight
from selfsame.clock import mint, now
from selfsame.erasing import hashing_of
from selfsame.errors import InputInvalidError
from selfsame.hooks import hooks_from
from selfsame.ruling import policy_held
from selfsame.settings import Settings, load_settings

letters = typer.Typer(no_args_is_help=True, help="The records that could not be used.")
SHOWN_ID = 12
EVERY = "All of them."
Ids = Annotated[list[str] | None, typer.Option("--id", help="An id as `list` shows it; may be given again.")]
OfSource = Annotated[str | None, typer.Option("--source", help="Of this source alone.")]
OfRun = Annotated[str | None, typer.Option("--run", help="That this load met last, by the id that `runs` shows.")]
OfCode = Annotated[str | None, typer.Option("--code", help="Of this reason alone, such as not_mappable.")]
All = Annotated[bool, typer.Option("--all", help=EVERY)]
Dry = Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be.")]


@letters.command("list")
def list_letters(
    source: OfSource = None, most: Annotated[int, typer.Option(min=1, help="List at most so many.")] = 100
) -> None:
    """List the records that could not be used, newest first: id, when, where, why."""

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            found = await dead_letters(connection.reader, SourceName(source) if source else None, most)
        for each in found:
            said = each.rejection
            head = f"{each.id[:SHOWN_ID]} {each.at:%Y-%m-%d %H:%M:%S} {each.source}"
            print(f"{head} {said.place} {said.code}: {said.sentence}{_by(each)}")
        return Exit.DONE

    finish(work)


def _by(letter: DeadLetter) -> str:
    """The mapping that could not read it, and the beginning of its version's hash."""
    by = letter.read_by
    if by is None:
        return ""
    return f" ({' '.join([by.mapping, *by.given])}{f' {by.sha256[:SHOWN_ID]}' if by.sha256 else ''})"


@letters.command("drop")
def drop(
    ids: Ids = None,
    source: OfSource = None,
    run: OfRun = None,
    code: OfCode = None,
    every: All = False,
    dry: Dry = False,
) -> None:
    """Forget records that could not be used, for good. Says how many."""

    async def work() -> Exit:
        chosen = _chosen(ids, source, run, code, every=every)
        async with reached_in_sight(load_settings()) as connection:
            if dry:
                print(f"{await count_letters(connection.reader, chosen):,} would be dropped")
            else:
                print(f"{await drop_letters(connection.writer, chosen):,} dropped")
        return Exit.DONE

    finish(work)


@letters.command("replay")
def replay_letters(
    ids: Ids = None,
    source: OfSource = None,
    run: OfRun = None,
    code: OfCode = None,
    every: All = False,
    mapping: Annotated[
        str | None, typer.Option(help="A mapping for all of them; else each goes through that of its load.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Of messages that do not say theirs: identify, track, …")] = None,
    authority: Annotated[str, typer.Option(help="Of messages: claimed, verified or imported.")] = "claimed",
    with_: With = None,
    dry: Dry = False,
) -> None:
    """Load records again that could not be used, through the mapping as it is now.

    What is loaded leaves the list; what fails again stays, with its new reason.
    """

    async def work() -> Exit:
        settings, chosen, how = (
            load_settings(),
            _chosen(ids, source, run, code, every=every),
            _how(mapping, kind, authority, given_from(with_ or ())),
        )
        if how.mapping is not None:
            chosen = replace(chosen, source=chosen.source or how.mapping.source.name)
        async with reached_in_sight(settings) as connection:
            held, hashing = await policy_held(settings, connection), hashing_of(settings)
            await check_key(connection.reader, hashing)

            async def trial(messages: Sequence[Message]) -> tuple[Outcome, ...]:
                return await try_batch(connection.writer, messages, held, mint, now(), hashing=hashing)

            async def ask(asked: Sequence[Asked]) -> None:
                await record_requests(connection.writer, asked, Handling(held, hashing), now())

            where, how = into(connection, held, hashing), replace(how, ask=ask)
            done = await replay(chosen, how, replace(where, commit=trial) if dry else where, dry=dry, tell=_told)
            if not dry:
                await drain_pending(connection.writer, held, micros(now()))
        _show(done, dry=dry)
        return Exit.REJECTED if done.failed or done.kept else Exit.DONE

    finish(work)


def _told(done: int, size: int) -> None:
    if size > done:
        told.print(f"{done:,} of {size:,}")


def _chosen(ids: Sequence[str] | None, source: str | None, run: str | None, code: str | None, *, every: bool) -> Chosen:
    said = Chosen(tuple(ids or ()), SourceName(source) if source else None, RunId(run) if run else None, code or None)
    if every == (said != Chosen()):
        raise InputInvalidError("say which: --id, --source, --run or --code, or else --all")
    return said


def _finder(settings: Settings) -> Callable[[ReadBy, SourceName], SourceMapping]:
    """The mapping that a letter names: of a webhook as the settings have it, else the file with what it was given."""
    hooks = hooks_from(settings.webhooks)

    def found(by: ReadBy, source: SourceName) -> SourceMapping:
        hook = hooks.get(by.webhook or "")
        if hook is not None and hook.mapping.source.name == source:
            return hook.mapping
        return mapping_named(by.mapping, Local(source=source, given=given_from(by.given)))

    return found


def _how(mapping: str | None, kind: str | None, authority: str, given: Mapping[str, str]) -> How:
    if authority not in AUTHORITIES:
        raise InputInvalidError(f"--authority is one of {', '.join(AUTHORITIES)}, not `{authority}`")
    if kind is not None and kind not in {each.value for each in MessageKind}:
        raise InputInvalidError(f"--kind is one of {', '.join(MessageKind)}, not `{kind}`")
    if given and not mapping:
        raise InputInvalidError("--with belongs to --mapping; a letter knows what its own mapping was given")
    named = mapping_named(mapping, Local(given=given)) if mapping else None
    return How(_finder(load_settings()), named, kind, AUTHORITIES[authority])


def _show(done: Replayed, *, dry: bool) -> None:
    counts = done.counts
    would = "would be " if dry else ""
    rest = {
        "known already": counts.repeats,
        "known with another text": counts.differing,
        "erased before": counts.erased,
        "with warnings": counts.warned,
    }
    messages = ", ".join(
        [f"{counts.committed:,} committed", *(f"{many:,} {what}" for what, many in rest.items() if many)]
    )
    became = [f"{done.loaded:,} {would}loaded ({messages})", f"{done.failed:,} fail again"]
    print(", ".join([*became, f"{done.kept.total():,} cannot be replayed"]))
    if counts.skipped:
        print(f"  passed over by the mapping: {counts.skipped:,}")
    for why, many in done.kept.items():
        print(f"  {why} ({many:,})")
    for each in done.rejections:
        print(f"  {each.place}: {each.sentence} ({each.code})")
