"""Reading and mapping of large files: what 10 million rows take of memory, beside 1 million; nothing is written.

`python -m bench.reading FORM ROWS` measures one file in a process of its own: megabytes at the most, rows a second.
"""

import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import anyio
import pyarrow as pa
import pyarrow.parquet as pq

from bench.report import Ratio
from bench.world import World
from loaders.mapping import mapping_from_toml
from loaders.runs import dry_run

MANY, FEW = 10_000_000, 1_000_000
PAGE = 100_000
COLUMNS = ("id", "email", "name", "city", "seen")
MAPPING = """
source = "bench"
namespaces = { bench_contact = { role = "Contact", unique = true } }
[[message]]
kind = "identify"
time = "seen"
identifiers = [{ namespace = "bench_contact", value = "id", key = true }, { namespace = "email", value = "email" }]
traits = { name = "name", city = "city" }
"""


async def reading(_where: World) -> Ratio:
    """The memory of a process that reads and maps a CSV file of 10 million rows, against one of a tenth."""
    many, few = (float(_measured("csv", rows)[0]) for rows in (MANY, FEW))
    return Ratio(
        "reading and mapping 10,000,000 rows", "1,000,000 rows", "MB", [many], [few], "within 1.1 times, under 1 GB"
    )


def _measured(form: str, rows: int) -> list[str]:
    command = [sys.executable, "-m", "bench.reading", form, str(rows)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def _pages(rows: int) -> Iterator[list[tuple[str, ...]]]:
    for start in range(0, rows, PAGE):
        yield [
            (str(at), f"person{at}@mail{at % 977}.example", f"First{at % 5003} Last{at % 7919}", f"Town {at % 499}",
             f"2026-{at % 12 + 1:02}-{at % 28 + 1:02}T{at % 24:02}:00:00Z")
            for at in range(start, min(start + PAGE, rows))
        ]  # fmt: skip


def _write(form: str, rows: int, path: Path) -> None:
    if form == "csv":
        with path.open("w", encoding="utf-8") as file:
            file.write(",".join(COLUMNS) + "\n")
            for page in _pages(rows):
                file.write("".join(",".join(row) + "\n" for row in page))
        return
    with pq.ParquetWriter(path, pa.schema([(name, pa.string()) for name in COLUMNS])) as writer:
        for page in _pages(rows):
            writer.write_table(pa.table(dict(zip(COLUMNS, zip(*page, strict=True), strict=True))))


async def _read(path: Path) -> None:
    """Print the memory at the most in megabytes and the rows a second."""
    mapping, start = mapping_from_toml(MAPPING, "bench.toml"), perf_counter()
    report = await dry_run(path, mapping.source, datetime.now(UTC), mapping=mapping)
    seconds = perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{peak:.0f} {report.counts.messages / seconds:.0f}")


if __name__ == "__main__":
    if sys.argv[1] == "read":
        anyio.run(_read, Path(sys.argv[2]))
    else:
        form, rows = sys.argv[1], int(sys.argv[2])
        with TemporaryDirectory(prefix="selfsame-bench-") as folder:
            path = Path(folder) / f"rows.{form}"
            _write(form, rows, path)  # in this process, so that only the reading counts below
            subprocess.run([sys.executable, "-m", "bench.reading", "read", str(path)], check=True)
