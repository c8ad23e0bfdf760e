"""The lock that is shipped."""

import re

from graph.server.jars import LOCK, Jar, lock_from, lock_line, shipped_lock


def test_the_lock_names_no_place_to_fetch_from() -> None:
    assert not re.search(r"//|\bwww\.|\.apache\.org|\.com\b", LOCK.read_text())


def test_every_line_of_the_lock_reads_back() -> None:
    lines = [line for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    assert [lock_line(jar) for jar in shipped_lock().jars] == lines


def test_the_lock_holds_one_neo4j_and_no_file_name_twice() -> None:
    names = [jar.file_name for jar in shipped_lock().jars]
    assert sum(name.startswith("org.neo4j.neo4j-2026") for name in names) == 1
    assert len(set(names)) == len(names)


def test_checksums_are_sha256() -> None:
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in shipped_lock().jars)


def test_another_lock_has_another_folder_and_a_remark_changes_nothing() -> None:
    one, other = "g:a:1 00 5\n", "g:a:1:linux 00 5\n"
    assert lock_from(one).digest == lock_from("# said\n" + one).digest != lock_from(other).digest
    assert lock_from(other).jars == (Jar("g", "a", "1", "linux", "00", 5),)
