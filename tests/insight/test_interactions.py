"""The kind of an interaction, and what it tells by its kind."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import pytest

from identity.messages import Json, MessageKind
from insight.interactions import (
    BY_NAME,
    BY_TYPE,
    NAMES,
    STANDARD,
    WORDS,
    Answer,
    Kind,
    Line,
    Word,
    answers_of,
    lines_of,
    named_kinds,
    names_with,
    page_text,
)
from insight.things import Money

CATALOG = Path(__file__).parents[2] / "loaders" / "catalog"


@pytest.mark.parametrize(
    ("type_", "name", "kind"),
    [
        ("page", "Order Completed", Kind.PAGE_VIEW),
        ("screen", None, Kind.SCREEN_VIEW),
        ("identify", None, Kind.IDENTIFY),
        ("group", None, Kind.GROUP),
        ("alias", None, Kind.ALIAS),
        ("track", None, Kind.TRACK),
        ("track", "Signed In", Kind.TRACK),
        ("track", "Order Completed", Kind.ORDER),
        ("track", "Case Opened", Kind.TICKET),
        ("track", "Email Opened", Kind.MESSAGE),
        ("track", "Meeting Booked", Kind.MEETING),
        ("track", "Form Submitted", Kind.FORM),
        ("track", "Square Payment COMPLETED", Kind.PAYMENT),
        ("track", "Sensor Reading", Kind.SENSOR),
    ],
)
def test_the_kind_follows_from_type_and_name(type_: str, name: str | None, kind: Kind) -> None:
    assert STANDARD.kind_of(type_, name) is kind


def test_a_name_of_ones_own_is_of_the_kind_that_is_said_beside_the_standard_ones() -> None:
    own = names_with(named_kinds({"order": ["Bestellung", "Order Placed"], "payment": ["Bezahlt"], "track": ["Egal"]}))
    assert own.kind_of("track", "Bestellung") is own.kind_of("track", "Order Placed") is Kind.ORDER
    assert own.kind_of("page", "Bestellung") is Kind.PAGE_VIEW
    assert own.kind_of("track", "Egal") is STANDARD.kind_of("track", "Bestellung") is Kind.TRACK
    assert set(own.of_orders) - set(STANDARD.of_orders) == {"Bestellung", "Bezahlt"}
    assert own.of([Kind.PAYMENT, Kind.PAYMENT])[-1] == "Bezahlt"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"ticket": ["Order Placed"]}, "kinds.ticket: `Order Placed` is a standard name"),
        ({"order": ["A"], "form": ["A"]}, "kinds.form: `A` stands under two kinds"),
        ({"order": [""]}, "kinds.order: a name has 1 to 512 bytes"),
        ({"order": ["é" * 257]}, "kinds.order: a name has"),
    ],
)
def test_a_name_that_cannot_be_of_a_kind_is_refused_with_its_place(
    told: Mapping[Word, Sequence[str]], why: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        named_kinds(told)


def test_mappings_and_settings_have_a_word_for_each_kind_that_is_known_by_names() -> None:
    assert set(WORDS.values()) == {*NAMES, Kind.TRACK}
    assert set(get_args(Word)) == set(WORDS)


def test_every_type_has_a_kind_and_every_name_one_only() -> None:
    assert set(BY_TYPE) == {kind.value for kind in MessageKind}
    assert len(BY_NAME) == sum(map(len, NAMES.values()))


def test_every_fixed_name_that_a_mapping_gives_to_what_is_about_an_order_or_a_ticket_has_its_kind() -> None:
    """A new mapping with a name of its own is a line in the table as well."""
    for file in sorted(CATALOG.glob("*.toml")):
        for message in file.read_text("utf-8").split("[[message]]")[1:]:
            name = re.search(r'^name = \{ const = "([^"]+)" \}$', message, re.MULTILINE)
            about = set(re.findall(r'subject = "(Order|Ticket)"', message))
            if name and about:
                assert {"Order": Kind.ORDER, "Ticket": Kind.TICKET}[about.pop()] is BY_NAME.get(name[1]), name[1]


def test_a_page_is_told_by_its_message_else_by_the_circumstances() -> None:
    context: dict[str, Json] = {"page": {"path": "/there", "title": "There"}}
    assert page_text("path", {"path": "/here"}, context) == "/here"
    assert page_text("title", {}, context) == "There"
    assert page_text("title", {}, {"page": 7}) is None


def test_the_lines_of_an_order_are_read_in_either_spelling() -> None:
    segment: dict[str, Json] = {"currency": "GBP", "products": [{"sku": "B-1", "quantity": 2, "price": "9.50"}, 7]}
    assert lines_of(segment) == (Line("B-1", None, 2.0, Money("9.50", "GBP")),)
    assert lines_of({"lines": [{"product_id": 7, "title": "Rope"}]}) == (Line("7", "Rope", None, None),)


@pytest.mark.parametrize(
    ("answers", "read"),
    [
        ({"Name": "Ada", "Size": 38}, [("Name", "Ada"), ("Size", "38")]),
        ([{"question": "Which?", "answer": "This"}], [("Which?", "This")]),
        ([{"column_id": "CITY", "string_value": "Leeds"}], [("CITY", "Leeds")]),
        ([{"type": "email", "email": "a@b.no", "field": {"ref": "mail"}}], [("mail", "a@b.no")]),
        ([{"type": "boolean", "boolean": True}], [("1", "yes")]),
        ([{"type": "choices", "choices": {"labels": ["a", "b"]}, "field": {"id": "q"}}], [("q", "a, b")]),
        ("no list", []),
    ],
)
def test_the_answers_of_a_form_are_read_as_each_source_sends_them(
    answers: Json, read: list[tuple[str, str | None]]
) -> None:
    assert answers_of({"answers": answers}) == tuple(Answer(*each) for each in read)
