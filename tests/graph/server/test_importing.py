"""Neo4j's importer, when it fails: the store is as it was, and the sentence says why."""

from pathlib import Path

import pytest

from graph.server.compaction import GATHERED, recover
from graph.server.configuration import ServerSettings
from graph.server.errors import DiskFullError, ImportFailedError
from graph.server.importing import Imported, imported
from graph.server.progress import silent

pytestmark = pytest.mark.anyio


def a_store(folder: Path) -> Path:
    """What stands for a store: the importer must not touch it."""
    kept = folder / "neo4j" / "data" / "databases" / "neo4j" / "neostore"
    kept.parent.mkdir(parents=True)
    kept.write_text("kept")
    return kept


async def test_an_importer_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    kept = a_store(tmp_path)
    with pytest.raises(ImportFailedError, match="AdminTool"):
        await imported(ServerSettings(tmp_path), tmp_path / "no jars", [], Imported(1, 0), silent)
    assert kept.read_text() == "kept"
    assert not (tmp_path / "neo4j.new").exists()


async def test_files_for_which_there_is_no_room_are_not_imported(tmp_path: Path) -> None:
    kept = a_store(tmp_path)
    with pytest.raises(DiskFullError):
        await imported(ServerSettings(tmp_path), tmp_path, [], Imported(1, 0, size=1 << 60), silent)
    assert kept.read_text() == "kept"


def test_what_a_killed_first_load_put_aside_goes_with_the_next_start(tmp_path: Path) -> None:
    kept = a_store(tmp_path)
    (tmp_path / GATHERED).mkdir()
    (tmp_path / GATHERED / "people.csv").write_text("ann@x.com")
    recover(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["neo4j"]
    assert kept.read_text() == "kept"
