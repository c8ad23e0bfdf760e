"""Topics of Kafka through librdkafka: the member of a consumer group that `loaders.streams` reads from."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, Message, TopicPartition

from loaders.errors import SourceAwayError, StreamRefusedError
from loaders.kafka.partitions import Arrived, Holdings, Partition
from loaders.kafka.settings import Subscription, without_values

ANSWER_SECONDS, ATTEMPTS = 15.0, 10
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What no waiting mends: who we are, what we may, what is there.
REFUSED = frozenset({
    KafkaError._AUTHENTICATION,  # noqa: SLF001 -- librdkafka's own errors are named so
    KafkaError._SSL,  # noqa: SLF001
    KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
    KafkaError.INCONSISTENT_GROUP_PROTOCOL,
})  # fmt: skip


@contextmanager
def opened(subscription: Subscription, hear: Callable[[str], None]) -> Iterator["KafkaTopics"]:
    """A member of the group, which leaves it at the end. Raises StreamRefusedError, SourceAwayError."""
    topics = KafkaTopics(subscription, hear)
    try:
        topics.join()
        yield topics
    finally:
        topics.leave()


class KafkaTopics:
    """A member of a consumer group, from `join` to `leave`. It commits offsets only of what was said to be done.

    Its methods block, and librdkafka tells of partitions that come and go only while one of them runs, so between two
    of them our view of what is ours stands still.
    """

    def __init__(self, subscription: Subscription, hear: Callable[[str], None]) -> None:
        self._topics = list(subscription.topics)
        self._hear = hear
        self._held = Holdings()
        self._worst: KafkaError | None = None
        settings = {"log_level": "2", **subscription.settings}  # errors are heard, not printed by a library
        try:
            self._consumer = Consumer({**settings, "error_cb": self._erred})
        except KafkaException as error:
            sentence = without_values(_error_of(error).str(), subscription.settings)
            raise StreamRefusedError(f"librdkafka does not take the settings: {sentence}") from error

    def join(self) -> None:
        """Ask for partitions, once the brokers have answered that the topics are there."""
        named = [each for each in self._topics if not each.startswith("^")]
        known = self._known()
        for each in named:
            if each not in known:
                raise StreamRefusedError(f"there is no topic `{each}`, or this user may not see it")
        self._consumer.subscribe(self._topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)

    def _known(self) -> Collection[str]:
        """The topics that there are, as soon as a broker answers or refuses."""
        for attempt in range(ATTEMPTS):
            try:
                known: Collection[str] = self._consumer.list_topics(timeout=ANSWER_SECONDS / ATTEMPTS).topics
            except KafkaException as error:
                self._consumer.poll(0)  # hears why
                told = self._worst or _error_of(error)
                if told.code() in REFUSED:
                    raise StreamRefusedError(f"the brokers refuse us: {told.str()}") from error
                if attempt == ATTEMPTS - 1:
                    raise SourceAwayError(f"no broker answers: {told.str()}") from error
            else:
                return known
        return ()

    def leave(self) -> None:
        """Leave the group, so that others take over at once; what is done and not yet told is told before."""
        self.commit()
        self._consumer.close()

    def next(self, most: int, seconds: float) -> tuple[Arrived, ...]:
        """Records of the partitions that are ours; waits so long for so many. Raises StreamRefusedError."""
        arrived = [self._arrived(each) for each in self._consumer.consume(most, seconds)]
        return self._held.ours([each for each in arrived if each is not None])

    def ours(self, records: Sequence[Arrived]) -> tuple[Arrived, ...]:
        """Those of some records whose partitions are still ours."""
        return self._held.ours(records)

    def done(self, records: Sequence[Arrived]) -> None:
        """Note that records are in the graph; `commit` tells the group."""
        self._held.done(records)

    def commit(self) -> None:
        """Tell the group how far the graph is; what cannot be told now is told by the next call."""
        owed = self._held.owed
        if not owed:
            return
        offsets = [TopicPartition(each.topic, each.number, offset) for each, offset in owed.items()]
        try:
            answered = self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            self._hear(f"offsets could not be committed: {_error_of(error).str()}")
            return
        self._held.told({_partition(each): each.offset for each in answered if each.error is None})

    def pause(self) -> None:
        """Fetch nothing more for now, and stay in the group."""
        self._consumer.pause(_named(self._held.held))

    def resume(self) -> None:
        """Fetch again."""
        self._consumer.resume(_named(self._held.held))

    @property
    def lag(self) -> int:
        """How many records wait behind those that are done, as far as the brokers' last answers say."""
        ends = {each: self._end(each) for each in self._held.next}
        return sum(max(0, ends[each] - offset) for each, offset in self._held.next.items())

    @property
    def ended(self) -> bool:
        """Whether all that is ours has been read to its end."""
        return self._held.ended

    def _end(self, partition: Partition) -> int:
        named = TopicPartition(partition.topic, partition.number)
        return int(self._consumer.get_watermark_offsets(named, cached=True)[1])

    def _arrived(self, message: Message) -> Arrived | None:
        error, partition = message.error(), Partition(str(message.topic()), message.partition() or 0)
        if error is None:
            record = Arrived(
                partition,
                message.offset() or 0,
                message.value(),
                self._held.turn(partition),
                dict(_headers(message)),
                _stamp(message),
            )
            self._held.read(record)
            return record
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 -- librdkafka's own errors are named so
            self._held.at_end(partition, message.offset() or 0)
        else:
            self._refuse(error)
            self._hear(error.str())
        return None

    def _refuse(self, error: KafkaError) -> None:
        if error.fatal() or error.code() in REFUSED:
            raise StreamRefusedError(f"the stream cannot be read: {error.str()}")

    def _erred(self, error: KafkaError) -> None:
        """What librdkafka tells by itself; it goes on trying, so this is news and no end."""
        if self._worst is None or error.code() in REFUSED:
            self._worst = error
        self._hear(error.str())

    def _assigned(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._held.gained(map(_partition, partitions))

    def _revoked(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """The next one to hold them begins where we tell the group now."""
        self.commit()
        self._held.gone(map(_partition, partitions))

    def _lost(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Somebody may hold them already, and tells the group herself."""
        self._held.gone(map(_partition, partitions))


def _error_of(error: KafkaException) -> KafkaError:
    found: KafkaError = error.args[0]
    return found


def _partition(each: TopicPartition) -> Partition:
    return Partition(each.topic, each.partition)


def _named(partitions: Sequence[Partition]) -> list[TopicPartition]:
    return [TopicPartition(each.topic, each.number) for each in partitions]


def _headers(message: Message) -> Iterator[tuple[str, str]]:
    given = message.headers() or ()
    pairs: Sequence[tuple[str, object]] = list(given.items()) if isinstance(given, Mapping) else list(given)
    for name, value in pairs:
        yield name.lower(), value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _stamp(message: Message) -> datetime | None:
    kind, milliseconds = message.timestamp()
    try:
        return None if kind == TIMESTAMP_NOT_AVAILABLE else EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
