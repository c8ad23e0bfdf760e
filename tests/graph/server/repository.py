"""A tiny Maven repository on this machine, for jars that hold a few bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from graph.server.jars import Jar, Lock


@dataclass
class Repository:
    """What it serves by path, what it was asked for, and how many answers it still breaks off in the middle."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    broken: int = 0
    address: str = ""

    def holds(self, artifact: str, content: bytes) -> Jar:
        """Put a jar into it; answers the line of the lock that wants it."""
        self.files[f"/org/fern/{artifact}/1.0/{artifact}-1.0.jar"] = content
        return Jar("org.fern", artifact, "1.0", "", sha256(content).hexdigest(), len(content))

    @property
    def jars_asked(self) -> list[str]:
        return [path.rpartition("/")[2] for path in self.asked if path.endswith(".jar")]

    @property
    def places(self) -> dict[str, str]:
        return {"here": self.address}


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, repository: Repository, *rest: object) -> None:
        self.repository = repository
        super().__init__(*rest)  # type: ignore[arg-type]  # what the server hands on

    def do_GET(self) -> None:
        self.repository.asked.append(self.path)
        content = self.repository.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        broken, self.repository.broken = self.repository.broken > 0, max(0, self.repository.broken - 1)
        self.wfile.write(content[: len(content) // 2] if broken else content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Repository]:
    """A repository that answers for a while."""
    repository = Repository()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, repository)) as server:
        repository.address = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield repository
        finally:
            server.shutdown()
            thread.join()


def lock_of(*jars: Jar) -> Lock:
    """A lock for the jars."""
    return Lock(jars, "trial")
