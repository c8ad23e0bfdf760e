"""What a benchmark found, and how it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours beside a ceiling. unit: of both; goal: what the ratio shall be, as a sentence.

    ours, ceiling: one figure per round, the rounds of both sides in turn.
    """

    name: str
    against: str
    unit: str
    ours: Sequence[float]
    ceiling: Sequence[float]
    goal: str

    @property
    def rounds(self) -> list[float]:
        """The ratio of each round."""
        return [one / other for one, other in zip(self.ours, self.ceiling, strict=True)]


def show(console: Console, ratios: Sequence[Ratio]) -> None:
    """One row per benchmark: medians of both sides, the median ratio with its spread, and what it shall be."""
    table = Table("benchmark", "ours", "ceiling", "ratio", "goal", title="Medians; spread of the rounds in brackets")
    for each in ratios:
        spread = f"{median(each.rounds):.2f} ({min(each.rounds):.2f}-{max(each.rounds):.2f})"
        table.add_row(
            each.name,
            f"{median(each.ours):,.4g} {each.unit}",
            f"{median(each.ceiling):,.4g} {each.unit}, {each.against}",
            spread,
            each.goal,
        )
    console.print(table)
