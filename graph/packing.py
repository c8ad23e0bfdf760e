"""All rows of a statement as one record, so that the driver makes one record instead of thousands.

The driver takes 0.15 ms for a record and a fiftieth of that for a list in one: with 36 statements a batch, the client's
part of ingestion fell from 0.38 to 0.23 ms a message. What wraps the statement must name its columns; they are read off
its text, since a first run that would tell them is a second planning of every statement (half of the ten seconds that
the first batch after a start took).
"""

import re
from functools import lru_cache

# quoted texts and comments, brackets, commas, and the words that begin or end a list of columns
TOKEN = re.compile(
    r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`|//[^\n]*|[(\[{]|[)\]}]|,|\b(?:RETURN|ORDER|SKIP|LIMIT|UNION)\b"
)
COLUMN = re.compile(r"(?:.*\sAS\s+|DISTINCT\s+)?([A-Za-z_]\w*)", re.DOTALL)
MOST_KNOWN = 1_000  # segments are statements of their own


@lru_cache(maxsize=MOST_KNOWN)
def packed(statement: str) -> tuple[str, tuple[str, ...]] | None:
    """A statement that returns the rows of this one as one list `packed`, and its columns; None where it has none.

    Also None where a column has no plain name: then the statement is to be run as it is.
    """
    columns = columns_of(statement)
    if not columns:
        return None
    listed = ", ".join(f"`{column}`" for column in columns)
    return f"CALL () {{{statement}}} RETURN collect([{listed}]) AS packed", columns


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
