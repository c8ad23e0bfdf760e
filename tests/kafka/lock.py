"""`python -m tests.kafka.lock [VERSION]`: resolve the Kafka of the tests again and write kafka.lock."""

import sys
from pathlib import Path

from graph.server.jars import lock_from
from graph.server.lock import write_lock

LOCK = Path(__file__).with_name("kafka.lock")
REMARK = """\
# The jars of the Kafka that the tests start: coordinate, SHA-256, size in bytes. Made by `make lock`; Apache-2.0.
"""
KAFKA = ("org.apache.kafka", "kafka_2.13")


def main() -> None:
    version = sys.argv[1] if len(sys.argv) > 1 else _locked_version()
    write_lock(LOCK, REMARK, f"{':'.join(KAFKA)}:{version}")


def _locked_version() -> str:
    jars = lock_from(LOCK.read_text("utf-8")).jars
    return next(jar.version for jar in jars if (jar.group, jar.artifact) == KAFKA)


if __name__ == "__main__":
    main()
