"""Mappings as a whole: what they make of records, and what is refused before the first record is read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import About, AccountStatement, Authority, Json, Sighting, Subject
from identity.policy import Namespace, Role
from loaders.errors import MappingInvalidError
from loaders.formats.records import Found
from loaders.mapping import CATALOG, SourceMapping, check_columns, mapping_named
from loaders.translating import translated
from tests.loaders.mappings import HEAD, IDENTIFIED, mapping, message, messages, rejection, shipped, translate
from tests.loaders.segment import NOW
from tests.loaders.test_segment_http import ANY_JSON

ORDER = """
[[message]]
kind = "track"
each = "lines"
id = { template = "{root.order}:{index}" }
time = { time = "root.at", format = "s" }
name = { const = "Line Ordered" }
identifiers = [{ namespace = "email", value = "root.email" }]
properties = { sku = "item.sku" }
"""
LINES: Json = {"order": 5, "at": 1_780_000_000, "email": "a@x.com", "lines": [{"sku": "s1"}, {"sku": "s2"}]}

COLUMNS = st.sampled_from(["id", "lines", "order", "at", "email", "customer", "total", "currency", "event", "event_id"])


def test_a_record_becomes_a_message_of_its_source() -> None:
    answer = message(IDENTIFIED + 'time = "at"\nid = "id"\n', {"id": 7, "at": "2026-06-01 10:00:00"})
    assert (answer.id, answer.kind, answer.region, answer.authority) == ("crm:7", "identify", "GB", Authority.IMPORTED)
    assert answer.own_time == answer.at == datetime(2026, 6, 1, 10, tzinfo=UTC)
    assert answer.received_at == NOW


def test_times_without_a_zone_are_the_mappings() -> None:
    answer = message(
        IDENTIFIED + 'time = "at"\n', {"id": 7, "at": "2026-06-01 10:00:00"}, HEAD + 'zone = "Asia/Tokyo"\n'
    )
    assert answer.own_time == datetime(2026, 6, 1, 1, tzinfo=UTC)


def test_an_identifier_keeps_its_raw_value_its_place_and_its_authority() -> None:
    text = """
    [[message]]
    kind = "identify"
    [[message.identifiers]]
    namespace = "crm_contact"
    value = "id"
    key = true
    [[message.identifiers]]
    namespace = "email"
    value = { first = ["email", "mail"] }
    authority = "claimed"
    """
    assert message(text, {"id": 7, "mail": " Ann@X.com"}).sightings == (
        Sighting("crm_contact", "7", "id", Authority.IMPORTED, record_key=True),
        Sighting("email", " Ann@X.com", "email", Authority.CLAIMED),
    )


def test_a_namespace_may_depend_on_the_record() -> None:
    text = '[[message]]\nkind = "identify"\nidentifiers = [{ namespace = "shop.{shop}", value = "id" }]\n'
    assert message(text, {"id": 7, "shop": "Oslo"}).sightings[0].namespace == "shop.oslo"
    assert rejection(text, {"id": 7, "shop": "no such name"}).code == "no_identifier"


def test_an_identifier_may_have_a_condition() -> None:
    text = '[[message]]\nkind = "identify"\nidentifiers = [{ namespace = "shop", value = "id", when = "id" }]\n'
    assert rejection(text, {"id": 0}).code == "no_identifier"
    assert message(text, {"id": 3}).sightings[0].value == "3"


def test_an_account_its_parent_and_its_traits_are_read() -> None:
    text = """
    [[message]]
    kind = "group"
    identifiers = [{ namespace = "crm_contact", value = "id" }]
    account = { value = "org", role = "role", parent = "above", traits = { name = "name", city = "city" } }
    """
    answer = message(text, {"id": 1, "org": 5, "role": "buyer", "above": "6", "name": "Acme"})
    assert answer.account == AccountStatement("account:5", {"name": "Acme"}, True, "buyer", "account:6")
    assert message(text, {"id": 1, "org": " "}).account is None


def test_a_record_of_an_account_alone_needs_no_person() -> None:
    text = '[[message]]\nkind = "group"\naccount = { value = "org", member = false }\n'
    answer = message(text, {"org": 5})
    assert (answer.sightings, answer.account) == ((), AccountStatement("account:5", {}, member=False))
    assert rejection(text, {"org": None}).code == "no_identifier"


def test_things_are_named_in_the_words_of_their_scope() -> None:
    text = (
        IDENTIFIED
        + """
    [[message.about]]
    subject = "Deal"
    id = "deal"
    account = { template = "account:{org}" }
    facts = { stage = "stage", gone = "gone" }
    [[message.about]]
    subject = "Product"
    scope = "web"
    each = "lines"
    when = "item.sku != 'none'"
    id = "item.sku"
    facts = { ordered_in = "root.deal" }
    """
    )
    record: Json = {"id": 1, "deal": 9, "org": 5, "stage": "Won", "lines": [{"sku": "s1"}, {"sku": "none"}, {}]}
    assert message(text, record).about == (
        About(Subject.DEAL, "crm:9", {"stage": "Won"}, "account:5"),
        About(Subject.PRODUCT, "web:s1", {"ordered_in": 9}),
    )


def test_each_element_of_a_list_is_a_message_that_knows_its_record() -> None:
    answers = messages(ORDER, LINES)
    assert [(each.message_id, each.properties["sku"]) for each in answers] == [("5:0", "s1"), ("5:1", "s2")]
    assert {each.sightings[0].value for each in answers} == {"a@x.com"}


@pytest.mark.parametrize("lines", [None, []])
def test_a_list_without_elements_gives_no_message(lines: Json) -> None:
    assert translate(ORDER, {"lines": lines}).skipped == "the mapping has no message for it"


@pytest.mark.parametrize("lines", ["x", {}, 3, [{}] * 1_001])
def test_what_is_no_list_or_a_very_long_one_rejects_its_record(lines: Json) -> None:
    assert rejection(ORDER, {"email": "a@x.com", "lines": lines}).code == "not_mappable"


def test_several_messages_of_a_record_are_told_apart_and_stay_the_same() -> None:
    text = IDENTIFIED + IDENTIFIED.replace('"identify"', '"track"') + 'when = "bought"\n'
    first, second = messages(text, {"id": 1, "bought": True})
    assert first.message_id != second.message_id
    assert [each.message_id for each in messages(text, {"bought": True, "id": 1})] == [
        first.message_id,
        second.message_id,
    ]
    assert len(messages(text, {"id": 1, "bought": 0})) == 1


def test_records_are_skipped_with_the_reason_that_the_mapping_gives() -> None:
    text = '[[skip]]\nwhen = "test == `true`"\nbecause = "a test"\n' + IDENTIFIED
    assert translate(text, {"id": 1, "test": True}).skipped == "a test"
    assert translate(text, {"id": 1, "test": "true"}).skipped is None


def test_a_missing_id_is_replaced_by_the_hash_of_the_record_with_a_warning() -> None:
    answer = message(IDENTIFIED + 'id = { template = "x:{number}" }\n', {"id": 1})
    assert (answer.message_id, [each.code for each in answer.warnings]) == (answer.digest, ["invalid_message_id"])


def test_namespaces_are_declared() -> None:
    text = '[namespaces.crm_contact]\nrole = "Contact"\nunique = true\n' + IDENTIFIED
    assert mapping(text).source.namespaces == (
        Namespace(name="crm_contact", role=Role.CONTACT, priority=1, unique=True, max_partners=None),
    )


SHIPPED = [shipped(each.stem) for each in sorted(CATALOG.glob("*.toml"))]


@given(st.sampled_from([mapping(ORDER + IDENTIFIED), *SHIPPED]), ANY_JSON | st.dictionaries(COLUMNS, ANY_JSON))
def test_no_record_breaks_a_mapping(made: SourceMapping, record: Json) -> None:
    answer = translated(Found(record, "file:1", ""), made, NOW)
    assert answer.messages or answer.rejection or answer.skipped


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "missing required field `message`"),
        ("[[message]]\nkind = 'buy'", r"Invalid enum value 'buy' - at `\$.message\[0\].kind`"),
        ("[[message]]\nkind = 'track'\nnmae = 'x'", r"unknown field `nmae` - at `\$.message\[0\]`"),
        ("[[message]\nkind = 'track'", "line 4"),
        (IDENTIFIED + 'authority = "manual"', "unknown field `authority`"),
        (IDENTIFIED.replace("crm_contact", "CRM contact"), r"message\[0\].identifiers\[0\].namespace"),
        (IDENTIFIED.replace('"id" }', '"id", authority = "manual" }'), "`manual` is none of claimed"),
        ("[namespaces.CRM]\nrole = 'Contact'\n" + IDENTIFIED, "namespaces.CRM"),
        ("[kinds]\nform = ['Order Placed']\n" + IDENTIFIED, "kinds.form: `Order Placed` is a standard name"),
        ("[kinds]\ninvoice = ['A']\n" + IDENTIFIED, "kinds"),
        (ORDER.replace('"item.sku"', '"sku"'), r"message\[0\].properties.sku: under `each` a path begins with item"),
        ("[[skip]]\nwhen = 'a ='\nbecause = 'b'\n" + IDENTIFIED, r"skip\[0\].when"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_with_file_place_and_reason(text: str, why: str) -> None:
    with pytest.raises(MappingInvalidError, match=why) as refused:
        mapping(text)
    assert str(refused.value).startswith("some.toml: ")


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("source = 'no name'", "source"),
        ("source = 'crm'\nformat = 'xml'", "format: `xml`"),
        ("source = 'crm'\nzone = 'Mars'", "zone: `Mars`"),
        ("source = 'crm'\nregion = 'gb'", "region"),
        ("source = 'crm'\nauthority = 'total'", "authority: `total`"),
        ("source = 'crm'\nsuorce = 'x'", "unknown field `suorce`"),
    ],
)
def test_a_head_that_cannot_be_used_is_refused(head: str, why: str) -> None:
    with pytest.raises(MappingInvalidError, match=why):
        mapping(IDENTIFIED, head + "\n")


def test_a_column_that_is_not_there_is_named_with_its_place() -> None:
    made = mapping(IDENTIFIED + 'traits = { name = { concat = ["first", "last"] } }\n')
    check_columns(made, ["id", "first", "last", "other"])
    with pytest.raises(MappingInvalidError) as refused:
        check_columns(made, ["id", "first"])
    sentence = "some.toml: message[0].traits.name: the file has no column `last`; its columns are id, first"
    assert str(refused.value) == sentence


def test_columns_of_the_whole_record_are_known_under_each() -> None:
    made = mapping(ORDER.replace('"lines"', '{ parse_json = "lines" }'))
    assert {name for _, name in made.asked} == {"lines", "order", "at", "email"}


def test_every_mapping_of_the_catalogue_can_be_used() -> None:
    names = sorted(each.stem for each in CATALOG.glob("*.toml"))
    assert len(names) >= 6
    assert [shipped(name).file for name in names] == [f"{name}.toml" for name in names]


def test_a_mapping_that_is_nowhere_is_refused_with_what_there_is() -> None:
    with pytest.raises(MappingInvalidError, match="fernhill_contacts"):
        mapping_named("no_such_mapping")


def test_a_record_that_was_merged_away_stands_beside_the_one_it_became() -> None:
    text = """
[[message]]
kind = "identify"
each = { split = "merged" }
identifiers = [
  { namespace = "crm_contact", value = "root.id" },
  { namespace = "crm_contact", value = "item", retired = true },
]
"""
    told = messages(text, {"id": "c1", "merged": "c2; c3;"})
    assert [[(each.value, each.retired) for each in one.sightings] for one in told] == [
        [("c1", False), ("c2", True)],
        [("c1", False), ("c3", True)],
    ]


@pytest.mark.parametrize("namespace", ["user_id", "anonymous_id", "{kind}"])
def test_of_user_ids_an_alias_says_which_one_is_retired(namespace: str) -> None:
    with pytest.raises(MappingInvalidError, match="previous_id"):
        mapping(IDENTIFIED.replace('"crm_contact", value = "id"', f'"{namespace}", value = "id", retired = true'))


def test_a_message_without_identifiers_describes_things() -> None:
    text = '[[message]]\nkind = "track"\nabout = [{ subject = "Deal", id = "id" }]\n'
    told = message(text, {"id": "d1"})
    assert (told.sightings, [each.key for each in told.about]) == ((), ["crm:d1"])
    assert rejection(text, {"id": ""}).code == "no_identifier"
