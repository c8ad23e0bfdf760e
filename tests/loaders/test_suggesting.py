"""Drafts of mappings: what is recognised in a file, and that every draft can be used."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.runs import Form
from identity.messages import Json
from loaders.files import opened_records
from loaders.formats.records import Found, Line
from loaders.mapping import mapping_from_toml
from loaders.runs import dry_run
from loaders.shapes import form_of, kind_of
from loaders.suggesting import suggested
from tests.building import RECEIVED

CONTACTS = (
    "id,E-Mail,Mobile Phone,firstName,company_id,created_at,vip,lifetime_value,currency,notes,last order\n"
    "1,ann@example.com,+49 171 2345678,Ann,c9,2026-01-01,true,12.50,EUR,,7\n"
    "2,bo@example.com,0171 234 5679,Bo,c9,2026-01-02,false,3,EUR,,8\n"
)
EVENTS = (
    '{"uuid": "a%d", "userId": "u1", "event_name": "Viewed", "ts": 1767225600%03d, "amount_cents": 1250, "items": [1]}'
)


def draft(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    with opened_records(path) as records:
        first = list(records)
        return suggested(name, form_of(records, first), first)


@pytest.mark.parametrize(
    "line",
    [
        'source = "our_contacts"  #',
        '{ namespace = "our_contacts_contact", value = "id", key = true },  # `id`: no two records share one',
        '{ namespace = "email", value = "\\"E-Mail\\"" },  # `E-Mail`: its values are addresses',
        '{ namespace = "phone", value = "\\"Mobile Phone\\"" },',
        'value = "company_id"  # `company_id`: by its name the id of an organisation',
        'time = { time = "created_at" }  # `created_at`: its values are dates',
        'first_name = "firstName"\n',
        'vip = { flag = "vip" }',
        'lifetime_value = { money = "lifetime_value", currency = "currency" }  # money by its name',
        "# empty so far, and left out: notes",
    ],
)
def test_what_stands_in_a_table_of_contacts_is_recognised(tmp_path: Path, line: str) -> None:
    assert line in draft(tmp_path, "Our Contacts.csv", CONTACTS)


@pytest.mark.parametrize(
    "line",
    [
        'kind = "track"  # `event_name` names what happened, in 1 words',
        'id = "uuid"  # by its name a message\'s own id',
        '{ namespace = "user_id", value = "userId" },',
        'time = { time = "ts", format = "ms" }  # `ts`: numbers that are moments since 1970 in ms',
        'amount_cents = { money = "amount_cents", currency = { const = "EUR" }, minor = true }',
        'items = "items"  # a list or a table, as it is',
        "[message.properties]",
    ],
)
def test_what_stands_in_a_file_of_events_is_recognised(tmp_path: Path, line: str) -> None:
    assert line in draft(tmp_path, "2026-events.jsonl", "\n".join(EVENTS % (each, each) for each in range(5)))


@pytest.mark.anyio
async def test_a_draft_maps_every_record_of_its_file(tmp_path: Path) -> None:
    made = mapping_from_toml(draft(tmp_path, "contacts.csv", CONTACTS), "draft.toml")
    report = await dry_run(tmp_path / "contacts.csv", made.source, RECEIVED, mapping=made)
    assert (report.counts.messages, report.counts.rejected) == (2, 0)
    first = report.noted.first[0]
    assert {each.namespace for each in first.sightings} == {"contacts_contact", "email", "phone"}
    assert (first.traits["lifetime_value"], first.own_time is not None) == ("12.50", True)


some_value = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.lists(st.integers(), max_size=2)
)
some_record = st.dictionaries(st.text(min_size=1, max_size=12), some_value, max_size=6)


@given(st.text(min_size=1, max_size=20), st.lists(some_record, min_size=1, max_size=4))
def test_every_draft_is_a_mapping_whatever_the_names_and_values(name: str, records: list[dict[str, Json]]) -> None:
    columns = tuple(dict.fromkeys(name for each in records for name in each))
    form = Form("jsonl", None, columns, tuple(kind_of(each.get(column) for each in records) for column in columns))
    lines = [Line(number, 0, Found(each, "x:1", "")) for number, each in enumerate(records)]
    mapping_from_toml(suggested(name, form, lines), "draft.toml")
