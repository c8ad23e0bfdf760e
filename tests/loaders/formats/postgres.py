"""A PostgreSQL for tests: started on 127.0.0.1 in a temporary folder, where the machine has its programs."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.serving import require

PROGRAMS = Path("/usr/lib/postgresql")
OWNER = "postgres"  # the server refuses to run as root
SETTINGS = "-c fsync=off -c shared_buffers=16MB"


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database. Its folder is none of pytest's, which are open to their owner alone."""
    named = shutil.which("initdb")
    found = sorted(PROGRAMS.glob("*/bin")) or ([Path(named).parent] if named else [])
    require(bool(found), "PostgreSQL (Debian's package postgresql)")
    user = OWNER if os.geteuid() == 0 else None
    with TemporaryDirectory(prefix="selfsame-postgres-") as folder:
        if user:
            shutil.chown(folder, user)

        def run(program: str, *arguments: str) -> None:
            command = [str(found[-1] / program), "-D", f"{folder}/data", *arguments]
            subprocess.run(
                command, check=True, user=user, cwd=folder, env={}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )

        port = _free_port()
        run("initdb", "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
        run("pg_ctl", "-o", f"-p {port} -h 127.0.0.1 -k {folder} {SETTINGS}", "-l", f"{folder}/log", "-w", "start")
        try:
            yield f"postgresql+pg8000://tester:secret@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
