"""Fernhill's files into the graph, by the mapping files of the catalogue."""

from pathlib import Path

from loaders.mapping import mapping_named
from loaders.runs import Into, RunReport, Tell, load_file

# Each with the mapping that reads it.
FILES = {
    "accounts.csv": "fernhill_accounts",
    "contacts.csv": "fernhill_contacts",
    "deals.csv": "fernhill_deals",
    "receipts.jsonl": "fernhill_receipts",
    "orders.jsonl": "fernhill_orders",
}


async def load_one(file: Path, into: Into, tell: Tell | None = None) -> RunReport:
    """Load one of Fernhill's files. Loading it again changes nothing. Raises what `load_file` raises."""
    mapping = mapping_named(FILES[file.name])
    return await load_file(file, mapping.source, into, mapping=mapping, tell=tell)
