"""The first load of a big history: files and tables read as every load reads them, gathered beside an empty graph.

What a load would commit batch by batch is gathered as a whole, stitched once and written to the files of an import. So
there is nothing to go on with: killed before the import has ended, nothing is loaded, and it is begun anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import anyio.lowlevel

from graph.dead_letters import DeadLetter, RunId, letter_facts
from graph.first_load.gathering import Gathering
from graph.ingestion import Outcome
from graph.runs import Counts, Form, Load, Run, RunState, Step, Taken, run_facts
from identity.messages import Message
from loaders.formats.records import Reading
from loaders.mapping import SourceMapping
from loaders.runs import Noted, Origin, Progress, RunReport, Tell, batches, begun_reading, load_of, step_of
from loaders.sources import Source


@dataclass(frozen=True, slots=True)
class Part:
    """A file or a table of a history, and what its records mean."""

    origin: Origin
    source: Source
    mapping: SourceMapping | None = None
    reading: Reading | None = None


@dataclass(slots=True)
class Gatherer:
    """Reads the parts of a history one after the other; each is a run. letters: the ids of what could not be used."""

    gathering: Gathering
    mint: Callable[[], str]
    now: Callable[[], datetime]
    letters: set[str] = field(default_factory=set)

    async def read(self, part: Part, tell: Tell) -> RunReport:
        """Gather a part; its run and its dead letters are written beside what it says.

        Raises FileUnreadableError, PartMissingError, MappingInvalidError, SourceAwayError, and what the disk raises.
        """
        load = await load_of(part.origin, part.source, part.mapping, self.mint)
        started, id_ = self.now(), RunId(self.mint())
        with begun_reading(part.origin, part.reading, part.mapping) as opened:
            noted, counts = Noted(remarks=opened.records.remarks), Counts()
            step, size = Step(0, counts), opened.records.size
            for batch in batches(opened.lines):
                step = await step_of(batch, part.source, part.mapping, self._commit, noted, self.now())
                if self.gathering.torn is not None:
                    raise self.gathering.torn
                counts += step.counts
                self._keep_letters(step, load, id_)
                tell(Progress(step.read, size, counts))
                await anyio.lowlevel.checkpoint()
        run = self._finished(id_, load, opened.form, started, counts, replace(step, size=size))
        return RunReport(run, counts, 0, noted)

    async def _commit(self, messages: Sequence[Message]) -> tuple[Outcome, ...]:
        return self.gathering.take(messages)

    def _keep_letters(self, step: Step, load: Load, run: RunId) -> None:
        for each in step.rejections:
            facts = letter_facts(DeadLetter("", load.source, each, self.now(), run, load.read_by))
            if facts["id"] not in self.letters:
                self.letters.add(str(facts["id"]))
                self.gathering.tables.node("DeadLetter", "id", facts)

    def _finished(self, id_: RunId, load: Load, form: Form, started: datetime, counts: Counts, step: Step) -> Run:
        shown = form if form.columns and form.types else None  # an import has no empty lists
        taken, now = Taken(started), self.now()
        run = Run(id_, load, RunState.FINISHED, step.position, counts, started, now, taken, shown, step.read, step.size)
        self.gathering.tables.node("Run", "id", {"id": id_, **run_facts(run)})
        return run
