"""Mappings and records for the tests of the way in."""

import tomllib
from collections.abc import Mapping

from identity.messages import Json, Message, Rejection
from loaders.formats.records import Found
from loaders.mapping import CATALOG, SourceMapping, mapping_from_toml, mapping_named
from loaders.mapping_text import Local
from loaders.translating import Translated, translated
from tests.loaders.segment import NOW

HEAD = """
source = "crm"
region = "GB"
"""
IDENTIFIED = """
[[message]]
kind = "identify"
identifiers = [{ namespace = "crm_contact", value = "id" }]
"""


def mapping(text: str, head: str = HEAD) -> SourceMapping:
    return mapping_from_toml(head + text, "some.toml")


def translate(text: str, record: Json, head: str = HEAD) -> Translated:
    return translated(Found(record, "file.jsonl:7", "raw"), mapping(text, head), NOW)


def messages(text: str, record: Json, head: str = HEAD) -> tuple[Message, ...]:
    answer = translate(text, record, head)
    assert answer.rejection is None, answer.rejection
    return answer.messages


def message(text: str, record: Json, head: str = HEAD) -> Message:
    (answer,) = messages(text, record, head)
    return answer


def rejection(text: str, record: Json, head: str = HEAD) -> Rejection:
    answer = translate(text, record, head)
    assert answer.rejection is not None
    return answer.rejection


def trait(value: str, record: Mapping[str, Json], head: str = HEAD) -> tuple[Json, list[str]]:
    """What a value makes of a record, and the codes of its warnings."""
    text = f"{IDENTIFIED}\ntraits = {{ it = {value} }}\n"
    answer = message(text, {"id": "c1", **record}, head)
    return answer.traits.get("it"), [each.code for each in answer.warnings]


def shipped(name: str) -> SourceMapping:
    """A mapping of the catalogue, with what it wants to be given."""
    wanted = tomllib.loads((CATALOG / f"{name}.toml").read_text("utf-8")).get("given", {})
    return mapping_named(name, Local(given=dict.fromkeys(wanted, "33001")))
