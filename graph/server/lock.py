"""`python -m graph.server.lock [VERSION]`: resolve Neo4j again and write neo4j.lock."""

import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory

import jgo
from jgo.maven import Artifact, MavenContext

from graph.server.jars import LOCK, Jar, lock_line, shipped_lock

REMARK = """\
# The jars of the local Neo4j: coordinate, SHA-256, size in bytes. Made by `make lock`; where they are fetched from
# is Maven's business, what they must be is said here. Neo4j Community is GPLv3; nothing of it is shipped with us.
"""


def main() -> None:
    """Write the lock of the version named on the command line, or of the one that is locked now."""
    version = sys.argv[1] if len(sys.argv) > 1 else _locked_version()
    write_lock(LOCK, REMARK, f"org.neo4j:neo4j:{version}")


def write_lock(lock: Path, remark: str, coordinate: str) -> None:
    """Resolve an artefact with all that it needs, measure each jar, and write the lock."""
    artifacts = jgo.resolve(coordinate)
    with TemporaryDirectory() as folder, ThreadPoolExecutor(8) as threads:
        context = MavenContext(repo_cache=Path(folder), timeout=60)
        jars = sorted({*threads.map(lambda each: _measured(context, each), artifacts)}, key=lambda jar: jar.coordinate)
    lock.write_text(remark + "".join(lock_line(jar) + "\n" for jar in jars), "utf-8")
    sys.stdout.write(f"{lock}: {len(jars)} jars\n")


def _locked_version() -> str:
    return next(jar.version for jar in shipped_lock().jars if (jar.group, jar.artifact) == ("org.neo4j", "neo4j"))


def _measured(context: MavenContext, found: Artifact) -> Jar:
    component = context.project(found.groupId, found.artifactId).at_version(found.version)
    path = component.artifact(found.classifier, found.packaging).resolve()
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return Jar(found.groupId, found.artifactId, found.version, found.classifier, digest, path.stat().st_size)


if __name__ == "__main__":
    main()
