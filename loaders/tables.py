"""The door to databases: a table or a query through SQLAlchemy, read as a stream of records like a file."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from loaders.formats.parts import optional_part
from loaders.formats.records import Records, Selection

Opener = Callable[[str, Selection], AbstractContextManager[Records]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a database. url: as SQLAlchemy writes it, with the password; it is neither shown nor kept."""

    url: str
    selection: Selection

    @property
    def name(self) -> str:
        """For people."""
        return self.selection.name

    @property
    def sha256(self) -> str:
        """What tells one load of it from another: database and selection, without user and password."""
        kind, _, rest = self.url.partition("://")
        said = (kind, rest.rpartition("@")[2], self.selection.table, self.selection.query, self.selection.key)
        return hashlib.sha256(repr(said).encode()).hexdigest()


def opened_table(table: Table) -> AbstractContextManager[Records]:
    """The rows of a table. Raises PartMissingError; when entered FileUnreadableError, SourceAwayError."""
    opener: Opener = optional_part("loaders.formats.sql_tables").opened
    return opener(table.url, table.selection)
