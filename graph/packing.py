"""How a statement is sent: all its parameters as one, all its rows as one record.

Neo4j keeps a plan for each size of each list among the parameters (none, one, up to ten, a hundred, …), so that a
statement with three lists was planned anew up to 125 times, each some 0.3 s on a JVM that has just begun. It looks into
no map: with all parameters in one, each statement is planned once.

The driver takes 0.15 ms for a record and a fiftieth of that for a list in one: with 36 statements a batch, the client's
part of ingestion fell from 0.38 to 0.23 ms a message. What wraps the statement must name its columns; they are read off
its text, since a first run that would tell them is a second planning of every statement.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

# quoted texts and comments, brackets, commas, and the words that begin or end a list of columns
TOKEN = re.compile(
    r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`|//[^\n]*|[(\[{]|[)\]}]|,|\b(?:RETURN|ORDER|SKIP|LIMIT|UNION)\b"
)
COLUMN = re.compile(r"(?:.*\sAS\s+|DISTINCT\s+)?([A-Za-z_]\w*)", re.DOTALL)
# quoted texts, which stay as they are, and parameters
PARAMETER = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`|\$(\w+)")
MOST_KNOWN = 1_000  # segments are statements of their own


@dataclass(frozen=True, slots=True)
class Packed:
    """A statement whose parameters are the fields of `$p`. columns: of the rows that are its only record, a list.

    Without columns its rows come as they are.
    """

    text: str
    columns: tuple[str, ...]


@lru_cache(maxsize=MOST_KNOWN)
def packed(statement: str) -> Packed:
    """A statement as it is sent; where it returns nothing, or a column has no plain name, its rows stay rows."""
    text = PARAMETER.sub(lambda found: f"$p.{found[1]}" if found[1] else found[0], statement)
    columns = columns_of(statement)
    if columns:
        listed = ", ".join(f"`{column}`" for column in columns)
        text = f"CALL () {{{text}}} RETURN collect([{listed}]) AS packed"
    return Packed(text, columns)


def columns_of(statement: str) -> tuple[str, ...]:
    """The columns of a statement by its last RETURN; none where one has no plain name, or there is a comment."""
    names = [COLUMN.fullmatch(item.strip()) for item in _items(statement)]
    return tuple(name[1] for name in names if name) if all(names) else ()


def _items(statement: str) -> list[str]:
    """What the last RETURN outside of any bracket lists, as it is written."""
    depth, start, items = 0, None, list[str]()
    for token in TOKEN.finditer(statement):
        word = token[0]
        if word.startswith("//"):
            return []
        if word in "([{":
            depth += 1
        elif word in ")]}":
            depth -= 1
        elif depth:
            continue
        elif word == "RETURN":
            start, items = token.end(), []
        elif start is not None and (word == "," or word.isalpha()):
            items.append(statement[start : token.start()])
            start = token.end() if word == "," else None
    return items if start is None else [*items, statement[start:]]
