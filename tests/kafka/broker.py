"""A real Kafka for the tests, started from locked jars by the Java that Neo4j has; and what a test asks of it."""

import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from graph.server.artifacts import jars_ready
from graph.server.errors import JarsUnavailableError
from graph.server.folders import cache_home
from graph.server.jars import lock_from
from graph.server.progress import silent
from tests.kafka.lock import LOCK
from tests.serving import require

CHILD = Path(__file__).with_name("child.py")
USER, PASSWORD = "reader", "hunter2-of-the-tests"
ROOM_MB = 200
SECONDS = 30.0
SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{plain},SASL_PLAINTEXT://127.0.0.1:{guarded},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=3000
num.network.threads=1
num.io.threads=2
log.cleaner.enable=false
"""


@dataclass(frozen=True)
class Broker:
    """A Kafka that answers. plain: its address for everybody; guarded: for those with a password."""

    plain: str
    guarded: str

    def topic(self, name: str, partitions: int = 1) -> str:
        admin = AdminClient({"bootstrap.servers": self.plain})
        for made in admin.create_topics([NewTopic(name, partitions, 1)]).values():
            made.result(SECONDS)
        return name

    def send(self, topic: str, values: Iterable[bytes | None], partitions: int = 1, **headers: str) -> None:
        """Values in turn to each partition."""
        producer = Producer({"bootstrap.servers": self.plain})
        for number, value in enumerate(values):
            producer.produce(topic, value, partition=number % partitions, headers=dict(headers))
        assert producer.flush(SECONDS) == 0

    def committed(self, group: str, topic: str) -> Mapping[int, int]:
        """The offsets that a group has committed."""
        admin = AdminClient({"bootstrap.servers": self.plain})
        (asked,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
        found = asked.result(SECONDS).topic_partitions
        return {each.partition: each.offset for each in found if each.topic == topic}

    def commit(self, group: str, topic: str, partition: int, offset: int) -> None:
        """Put a group that nobody is in at an offset."""
        consumer = Consumer({"bootstrap.servers": self.plain, "group.id": group})
        consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
        consumer.close()


@contextmanager
def kafka(folder: Path) -> Iterator[Broker]:
    """A Kafka in a folder for the while. Where its jars cannot be had, the test is skipped by name."""
    plain, guarded, controller = _free_ports(3)
    settings = folder / "server.properties"
    settings.write_text(
        SETTINGS.format(
            plain=plain, guarded=guarded, controller=controller, folder=folder, user=USER, password=PASSWORD
        )
    )
    log = folder / "kafka.log"
    command = [sys.executable, "-P", str(CHILD), str(_jars()), str(settings)]
    with (
        log.open("wb") as said,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said) as process,
    ):
        assert process.stdin
        assert process.stdout
        try:
            assert process.stdout.readline() == b"ready\n", log.read_text("utf-8")
            yield Broker(f"127.0.0.1:{plain}", f"127.0.0.1:{guarded}")
        finally:
            process.stdin.close()
            process.wait(SECONDS)


def _jars() -> Path:
    try:
        return jars_ready(cache_home(), lock_from(LOCK.read_text("utf-8")), silent, Event(), room_mb=ROOM_MB)
    except JarsUnavailableError:
        require(None, "the jars of Kafka")
        raise


def _free_ports(many: int) -> list[int]:
    """Ports that nobody has now. Nobody is likely to take one in the seconds until Kafka does."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(many)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
