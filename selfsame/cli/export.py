"""`selfsame export`: identifiers as rows, a neighbourhood as a graph file or a picture."""

import csv
import json
import re
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import networkx as nx
import typer

from graph.changes import ChangeFilter, all_changes
from graph.exports import Neighbourhood, identifier_lines, neighbourhood
from graph.interactions import EARLIEST, LATEST
from identity.identifiers import Blocked, Identifier, normalise
from identity.messages import micros, moment
from identity.policy import Policy
from insight.changes import Change, sentence_of
from selfsame.cli.exits import Exit, finish, told
from selfsame.cli.reaching import reached_in_sight
from selfsame.drawing import svg_of
from selfsame.errors import InputInvalidError
from selfsame.ruling import policy_held
from selfsame.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Write identifiers, or one neighbourhood of the graph, to the output.")


class RowFormat(StrEnum):
    """How rows are written."""

    CSV = "csv"


WRITERS = {RowFormat.CSV: csv.writer}

# What makes a spreadsheet take a cell for a formula (OWASP, CSV Injection), also where it is written full width; and
# what begins so and is a number all the same, as a phone number is.
FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001 -- full width is what is meant
NUMBER = re.compile(r"[+-][0-9]+(\.[0-9]+)?")


class GraphFormat(StrEnum):
    """How a neighbourhood is written."""

    GRAPHML = "graphml"
    JSON = "json"
    SVG = "svg"


@app.command()
def identifiers(
    form: Annotated[RowFormat, typer.Option("--format", help="Rows under a header line.")] = RowFormat.CSV,
    raw: Annotated[
        bool, typer.Option("--raw", help="For programs: no apostrophe before what a spreadsheet takes for a formula.")
    ] = False,
) -> None:
    """Write profile_id,namespace,value: one line per identifier, sorted."""
    shown_value = str if raw else harmless

    async def work() -> Exit:
        writer = WRITERS[form](sys.stdout, lineterminator="\n")
        async with reached_in_sight(load_settings()) as connection:
            writer.writerow(("profile_id", "namespace", "value"))
            async for line in identifier_lines(connection.reader):
                writer.writerow((line.profile, line.namespace, shown_value(line.value)))
        sys.stdout.flush()
        return Exit.DONE

    finish(work)


def harmless(cell: str) -> str:
    """A cell as it is kept; with an apostrophe before it where a spreadsheet would execute it."""
    return f"'{cell}" if FORMULA.match(cell) and not NUMBER.fullmatch(cell) else cell


@app.command()
def audit(
    since: Annotated[datetime | None, typer.Option(help="Recorded at this moment (UTC) or later.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Recorded at this moment (UTC) or earlier.")] = None,
) -> None:
    """Write every change to who is who, oldest first, as JSON, one a line; people and identifiers by their ids."""
    window = ChangeFilter(since=_micros(since, EARLIEST), until=_micros(until, LATEST))

    async def work() -> Exit:
        async with reached_in_sight(load_settings()) as connection:
            async for change in all_changes(connection.reader, window):
                sys.stdout.write(f"{json.dumps(audit_line(change))}\n")
        sys.stdout.flush()
        return Exit.DONE

    finish(work)


def _micros(given: datetime | None, otherwise: int) -> int:
    return otherwise if given is None else micros(given.replace(tzinfo=given.tzinfo or UTC))


def audit_line(change: Change) -> dict[str, object]:
    """A change as the export writes it: its fields, its moment in ISO 8601, and the sentence."""
    return {**asdict(change), "at": moment(change.at).isoformat(), "sentence": sentence_of(change)}


@app.command("graph")
def around_one(
    around: Annotated[str, typer.Option(help="An email address, or namespace:value.")],
    hops: Annotated[int, typer.Option(min=0, max=6, help="How many relationships away.")] = 2,
    form: Annotated[GraphFormat, typer.Option("--format", help="What to write.")] = GraphFormat.GRAPHML,
    limit: Annotated[int, typer.Option(min=1, max=50_000, help="At most so many nodes, nearest first.")] = 1_000,
) -> None:
    """Write what stands around one identifier: identifiers, profiles, accounts, and what joins them."""

    async def work() -> Exit:
        settings = load_settings()
        async with reached_in_sight(settings) as connection:
            start = identifier_meant(around, (await policy_held(settings, connection)).policy)
            found = await neighbourhood(connection.reader, start.key, hops, limit)
        if found is None:
            raise InputInvalidError(f"nobody is known by {start.key}; `selfsame export identifiers` lists who is")
        if found.cut:
            told.print(f"selfsame: only the nearest {limit} nodes are shown; --limit shows more", markup=False)
        sys.stdout.write(_text(found, start, form))
        return Exit.DONE

    finish(work)


def identifier_meant(text: str, policy: Policy) -> Identifier:
    """The identifier that a person typed: an address with an @, or namespace:value. Raises InputInvalidError."""
    namespace, colon, value = text.partition(":")
    if not colon or (namespace not in policy.namespaces and "@" in namespace):
        namespace, value = "email", text
    meant = normalise(namespace, value, policy)
    if isinstance(meant, Blocked):
        raise InputInvalidError(f"`{text}` names nobody: {meant.sentence}; give an email address or namespace:value")
    return meant


def _text(found: Neighbourhood, start: Identifier, form: GraphFormat) -> str:
    match form:
        case GraphFormat.GRAPHML:
            return "\n".join((*nx.generate_graphml(found.graph), ""))
        case GraphFormat.JSON:
            return json.dumps(nx.node_link_data(found.graph, edges="edges"), indent=1) + "\n"
        case GraphFormat.SVG:
            centre = next(
                (end for _, end, name in found.graph.out_edges(start.key, "relationship") if name == "IDENTIFIES"),
                start.key,
            )
            return svg_of(found.graph, centre, f"Who is {start.value}?")
