"""`python -m bench [NAME …]`: measure, and print ratios."""

import sys
from collections.abc import Awaitable, Callable

import anyio
from rich.console import Console

from bench.hairballs import hairballs
from bench.ingestion import ingestion
from bench.profiles import profiles
from bench.reading import reading
from bench.recompute import recomputing
from bench.report import Ratio, show
from bench.restitching import restitching
from bench.simulating import rehearing, simulating
from bench.starts import starts
from bench.timelines import timelines
from bench.unmerging import unmerging
from bench.world import World, world

# The order matters: `profiles` asks for the people that `ingestion` leaves, and `simulating` leaves a million links,
# which take longer to take away than a new Neo4j to start.
BENCHMARKS: dict[str, Callable[[World], Awaitable[Ratio]]] = {
    "ingestion": ingestion,
    "profiles": profiles,
    "timelines": timelines,
    "restitching": restitching,
    "unmerging": unmerging,
    "hairballs": hairballs,
    "starts": starts,
    "recompute": recomputing,
    "simulating": simulating,
    "rehearing": rehearing,
    "reading": reading,
}


async def main(names: list[str]) -> None:
    """Measure one after the other, on one Neo4j."""
    console = Console()
    ratios = []
    async with world() as where:
        for name in names or list(BENCHMARKS):
            with console.status(f"Measuring {name} …"):
                ratios.append(await BENCHMARKS[name](where))
    show(console, ratios)


if __name__ == "__main__":
    unknown = [name for name in sys.argv[1:] if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    anyio.run(main, sys.argv[1:], backend_options={"use_uvloop": sys.platform != "win32"})
