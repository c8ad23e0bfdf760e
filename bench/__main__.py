"""`python -m bench [NAME …]`: measure, and print ratios."""

import sys
from collections.abc import Awaitable, Callable, Sequence

import anyio
from rich.console import Console

from bench.acknowledging import acknowledging
from bench.hairballs import hairballs
from bench.ingestion import ingestion
from bench.layers import layers
from bench.leaving import leaving
from bench.loading import first_loading, loading
from bench.parsing import parsing
from bench.portraits import portraits
from bench.reading import reading
from bench.recompute import recomputing
from bench.repeats import repeats
from bench.report import Ratio, show
from bench.restitching import restitching
from bench.simulating import rehearing, simulating
from bench.starts import starts
from bench.timelines import timelines
from bench.unmerging import unmerging
from bench.webhooks import webhooks
from bench.world import World, world
from bench.writers import writers

# The order matters: `simulating` leaves a million links, which
# take longer to take away than a new Neo4j to start.
BENCHMARKS: dict[str, Callable[[World], Awaitable[Ratio | Sequence[Ratio]]]] = {
    "ingestion": ingestion,
    "parsing": parsing,
    "repeats": repeats,
    "acknowledging": acknowledging,
    "writers": writers,
    "timelines": timelines,
    "restitching": restitching,
    "unmerging": unmerging,
    "hairballs": hairballs,
    "portraits": portraits,
    "layers": layers,
    "starts": starts,
    "leaving": leaving,
    "webhooks": webhooks,
    "recompute": recomputing,
    "simulating": simulating,
    "rehearing": rehearing,
    "reading": reading,
    "loading": loading,
    "first_loading": first_loading,
}


async def main(names: list[str]) -> None:
    """Measure one after the other, on one Neo4j; what was measured is shown even where a later one fails."""
    console = Console()
    ratios: list[Ratio] = []
    try:
        async with world() as where:
            for name in names or list(BENCHMARKS):
                with console.status(f"Measuring {name} …"):
                    found = await BENCHMARKS[name](where)
                ratios += [found] if isinstance(found, Ratio) else found
    finally:
        show(console, ratios)


if __name__ == "__main__":
    unknown = [name for name in sys.argv[1:] if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    anyio.run(main, sys.argv[1:], backend_options={"use_uvloop": sys.platform != "win32"})
