"""The sample company as a whole: its size, that it never changes, that its files hold together."""

import os
import subprocess
import sys
from pathlib import Path

import phonenumbers
import pytest

from identity.messages import Authority
from selfsame.demo.company import Company
from selfsame.demo.fernhill import crm_files, fernhill, main, till_files, truth, web_calls
from tests.selfsame.demo.records import all_messages, company, csv_rows, json_lines, key, stitched


def written(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


def test_every_run_writes_the_same_files_whatever_the_order_of_hashes(tmp_path: Path) -> None:
    for hashes in ("1", "2"):
        subprocess.run(
            [sys.executable, "-m", "selfsame.demo.fernhill", str(tmp_path / hashes)],
            env={**os.environ, "PYTHONHASHSEED": hashes},
            check=True,
            capture_output=True,
        )
    assert written(tmp_path / "1") == written(tmp_path / "2")


def test_another_seed_makes_another_company_with_the_same_stories() -> None:
    other = fernhill(seed=7)
    assert crm_files(other) != crm_files(company())
    assert other.stories["heroine"] == company().stories["heroine"]


def test_the_command_names_the_files_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "new" / "folder")]) == 0
    names = [Path(line).name for line in capsys.readouterr().out.splitlines()]
    assert names == ["web.jsonl", "contacts.csv", "accounts.csv", "deals.csv", "receipts.jsonl", "orders.jsonl"]
    assert sorted(written(tmp_path / "new" / "folder")) == sorted(names)


def test_the_command_says_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_the_command_says_where_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("")
    assert main([str(tmp_path / "taken")]) == 1
    assert "taken: cannot write here" in capsys.readouterr().err


def size(of: Company) -> dict[str, int]:
    crm, till = crm_files(of), till_files(of)
    return {
        "people": len(truth(of).people),
        "calls": len(web_calls(of)),
        **{name: len(csv_rows(text)) for name, text in crm.items()},
        **{name: len(json_lines(text)) for name, text in till.items()},
    }


@pytest.mark.parametrize(
    ("what", "least", "most"),
    [
        ("people", 480, 520),
        ("calls", 8_000, 12_000),
        ("contacts.csv", 330, 370),
        ("accounts.csv", 115, 125),
        ("deals.csv", 150, 150),
        ("receipts.jsonl", 880, 920),
        ("orders.jsonl", 390, 410),
    ],
)
def test_the_company_has_the_size_that_the_demo_promises(what: str, least: int, most: int) -> None:
    assert least <= size(company())[what] <= most


def test_every_reference_of_the_crm_leads_somewhere() -> None:
    files = {name: csv_rows(text) for name, text in crm_files(company()).items()}
    accounts = {row["account_id"] for row in files["accounts.csv"]}
    owner = {row["contact_id"]: row["account_id"] for row in files["contacts.csv"]}
    assert {row["parent_id"] for row in files["accounts.csv"]} <= accounts | {""}
    assert set(owner.values()) <= accounts | {""}
    assert all(owner[row["contact_id"]] == row["account_id"] for row in files["deals.csv"])


def test_a_parent_account_has_no_parent_itself_and_no_two_accounts_share_a_domain() -> None:
    rows = {row["account_id"]: row for row in csv_rows(crm_files(company())["accounts.csv"])}
    parents = {row["parent_id"] for row in rows.values()} - {""}
    assert len(parents) == 19
    assert {rows[parent]["parent_id"] for parent in parents} == {""}
    assert len({row["domain"] for row in rows.values()}) == len(rows)


def test_a_receipt_is_named_by_shop_day_and_number() -> None:
    rows = json_lines(till_files(company())["receipts.jsonl"])
    assert len({(row["store"], row["date"], row["receipt_no"]) for row in rows}) == len(rows)


def test_customers_at_the_till_are_known_in_every_way_or_not_at_all() -> None:
    rows = json_lines(till_files(company())["receipts.jsonl"])
    ways = {tuple(row["customer"]) if isinstance(row["customer"], dict) else () for row in rows}
    assert ways == {(), ("email",), ("phone",), ("loyalty",), ("email", "loyalty")}


@pytest.mark.parametrize("name", ["receipts.jsonl", "orders.jsonl"])
def test_the_lines_of_a_sale_add_up_to_its_total(name: str) -> None:
    for row in json_lines(till_files(company())[name]):
        lines = row["lines"]
        assert isinstance(lines, list)
        assert row["total"] == pytest.approx(sum(line["price"] * line["quantity"] for line in lines))  # type: ignore[call-overload,index,operator,misc] # JSON


def test_every_order_of_the_web_shop_stands_in_the_order_book() -> None:
    book = {row["order_id"]: row["total"] for row in json_lines(till_files(company())["orders.jsonl"])}
    tracked = [
        call.arguments["properties"] for call in web_calls(company()) if "Order Completed" in call.arguments.values()
    ]
    assert len(tracked) > 250
    assert all(book[each["order_id"]] == each["total"] for each in tracked)  # type: ignore[index] # properties are a dict


def test_every_phone_number_is_valid_and_kept_for_drama() -> None:
    phones = [person.phone for person in company().people if person.phone]
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(phone)) for phone in phones)
    assert {phone[:10] for phone in phones} == {"+441134960", "+441144960"}


def test_every_address_ends_in_a_domain_that_nobody_can_own() -> None:
    emails = [email for person in company().people for email in (person.email, person.work_email) if email]
    assert {email.rpartition(".")[2] for email in emails} == {"example"}


def test_the_truth_is_written_in_normalised_form() -> None:
    for person in truth(company()).people:
        for named in person.identifiers:
            assert key(named)


def test_no_identifier_belongs_to_two_true_people() -> None:
    known = truth(company())
    owned = [named for person in known.people for named in person.identifiers]
    assert len(owned) == len(set(owned))
    assert not set(owned) & known.shared.keys()


def test_every_person_and_every_identifier_of_a_story_is_met_in_the_records() -> None:
    met = {member for cluster in stitched(Authority.CLAIMED).clusters.values() for member in cluster.members}
    for person in truth(company()).people:
        assert met & {key(named) for named in person.identifiers}, person.name
    for story in company().stories.values():
        asked = [named for named in story.asks.values() if named[0] != "account"]
        assert {key(named) for named in (*asked, *story.shared)} <= met, story.key


def test_everything_happens_between_march_and_june_2026_but_for_the_crm() -> None:
    months = {(each.at.year, each.at.month) for each in all_messages(Authority.CLAIMED) if each.source != "crm"}
    assert months == {(2026, 3), (2026, 4), (2026, 5), (2026, 6)}
