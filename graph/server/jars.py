"""Which jars make up the local Neo4j: the lock, as data."""

from dataclasses import dataclass
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path

LOCK = Path(__file__).with_name("neo4j.lock")


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked artefact. size: in bytes; classifier: empty for most."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str
    size: int

    @property
    def coordinate(self) -> str:
        """The artefact as Maven writes it: group:artifact:version, and the classifier if it has one."""
        return ":".join(filter(None, (self.group, self.artifact, self.version, self.classifier)))

    @property
    def file_name(self) -> str:
        """The name of its file in our cache; with the group, for two groups may have artefacts of one name."""
        return "-".join(filter(None, (f"{self.group}.{self.artifact}", self.version, self.classifier))) + ".jar"

    def is_file(self, path: Path) -> bool:
        """Whether a file has the checksum of this jar; reads all of it."""
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest() == self.sha256


@dataclass(frozen=True, slots=True)
class Lock:
    """All jars of one Neo4j, in the order of the class path. digest: what names its folder in the cache."""

    jars: tuple[Jar, ...]
    digest: str

    @property
    def size(self) -> int:
        """The bytes of all jars together."""
        return sum(jar.size for jar in self.jars)


@cache
def shipped_lock() -> Lock:
    """The lock that came with this code."""
    return lock_from(LOCK.read_text("utf-8"))


def lock_from(text: str) -> Lock:
    """Read a lock: a coordinate, a SHA-256 and a size on each line; `#` starts a remark."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return Lock(tuple(map(_jar, lines)), sha256("\n".join(lines).encode()).hexdigest()[:16])


def lock_line(jar: Jar) -> str:
    """The line of a jar in the lock."""
    return f"{jar.coordinate} {jar.sha256} {jar.size}"


def _jar(line: str) -> Jar:
    coordinate, digest, size = line.split()
    group, artifact, version, *classifier = coordinate.split(":")
    return Jar(group, artifact, version, "".join(classifier), digest, int(size))
