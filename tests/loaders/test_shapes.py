"""What stands in the columns of a file, and how two files of one source differ."""

from pathlib import Path

import pytest

from graph.runs import Form
from identity.messages import Json
from loaders.files import opened_records
from loaders.shapes import SEEN, Drift, drift_between, form_of, kind_of


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([None, "", "  "], "empty"),
        (["1", "-2.50", None], "number"),
        ([1, 2.5], "number"),
        (["007", "1"], "text"),
        (["TRUE", "no", True], "flag"),
        (["2026-01-31"], "date"),
        (["2026-01-31", "2026-01-31T12:00:00Z"], "time"),
        (["2026-01-31 12:00", "2026-13-31 12:00"], "text"),
        ([[1]], "list"),
        ([{}], "table"),
        (["1", "x"], "text"),
    ],
)
def test_the_kind_of_a_column_is_the_one_that_all_its_values_have(values: list[Json], kind: str) -> None:
    assert kind_of(values) == kind


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("a.csv", "id;name\n1;A\n2;\n", Form("csv", ";", ("id", "name"), ("number", "text"))),
        ("a.jsonl", '{"a": 1}\n{"b": [], "a": null}\n7\n{\n', Form("jsonl", None, ("a", "b"), ("number", "list"))),
    ],
)
def test_the_form_of_a_file_is_its_columns_and_what_stands_in_them(
    tmp_path: Path, name: str, text: str, form: Form
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with opened_records(path) as records:
        assert form_of(records, list(records)[:SEEN]) == form


def of(**columns: str) -> Form:
    return Form("csv", ",", tuple(columns), tuple(columns.values()))


def test_new_missing_and_retyped_columns_are_told_apart() -> None:
    before, now = of(id="number", mail="text", age="number"), of(age="text", id="number", phone="text")
    drift = drift_between(before, now)
    assert drift == Drift(("phone",), ("mail",), (("age", "number", "text"),))
    assert drift.sentences() == (
        "columns new: phone",
        "columns missing: mail",
        "columns of another kind: age (number before, text now)",
    )


def test_another_order_and_an_empty_column_are_no_drift() -> None:
    assert not drift_between(of(a="number", b="empty", c="text"), of(c="empty", b="time", a="number"))
