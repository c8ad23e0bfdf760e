"""Settings of a Kafka client as librdkafka takes them: lines of `name=value` in a file, which may hold secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loaders.errors import StreamRefusedError

DEFAULTS: Mapping[str, str] = {"client.id": "selfsame", "group.id": "selfsame", "auto.offset.reset": "earliest"}
# Partitions change hands one by one, and those that stay are read on.
COOPERATIVE = {"partition.assignment.strategy": "cooperative-sticky"}
# What makes that offsets are committed after the graph, and by nobody else.
OURS: Mapping[str, str] = {
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    "enable.partition.eof": "true",
}


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is read. settings: librdkafka's; secrets in them are neither shown nor kept. until_end: and no longer."""

    topics: tuple[str, ...]
    settings: dict[str, str] = field(repr=False)
    until_end: bool = False

    @property
    def name(self) -> str:
        """For people, and in runs."""
        return f"kafka:{','.join(self.topics)}"


def client_settings(file: Path | None, brokers: str | None, group: str | None) -> dict[str, str]:
    """All settings of the client: the file's, what is said beside it, and ours. Raises StreamRefusedError."""
    given = {} if file is None else settings_from(_text(file), file.name)
    contradicted = [name for name, value in OURS.items() if given.get(name, value) != value]
    if contradicted:
        sentence = f"`{contradicted[0]}` cannot be set: offsets are committed after the graph has committed"
        raise StreamRefusedError(f"{file}: {sentence}")
    said = {"bootstrap.servers": brokers, "group.id": group}
    strategy = {} if given.get("group.protocol") == "consumer" else COOPERATIVE
    settings = {**DEFAULTS, **strategy, **given, **{name: value for name, value in said.items() if value}, **OURS}
    if not settings.get("bootstrap.servers") and not settings.get("metadata.broker.list"):
        raise StreamRefusedError("name a broker by --brokers host:port, or as bootstrap.servers in the settings file")
    return settings


def settings_from(text: str, file: str) -> dict[str, str]:
    """The settings that a text says: a `name=value` on each line, empty lines and such with `#` apart.

    Raises StreamRefusedError with the line, and never with what stands in it.
    """
    settings = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals or not name.strip():
            raise StreamRefusedError(f"{file}:{number}: a setting is written `name=value`")
        settings[name.strip()] = value.strip()
    return settings


def without_values(sentence: str, settings: Mapping[str, str]) -> str:
    """A sentence of librdkafka's without the values of settings, one of which may be a secret in the wrong place."""
    for value in sorted(settings.values(), key=len, reverse=True):
        if len(value) > 3:
            sentence = sentence.replace(value, "…")
    return sentence


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise StreamRefusedError(f"{file}: cannot be read: {reason}") from error
