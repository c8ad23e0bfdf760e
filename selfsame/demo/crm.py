"""The CRM of the wholesale arm, as the CSV files that it exports."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from random import Random

from selfsame.demo.company import FIRST_DAY, LAST_DAY, Company, Person
from selfsame.demo.lists import lists

CONTACTS = (
    "contact_id",
    "first_name",
    "last_name",
    "email",
    "phone",
    "title",
    "account_id",
    "owner",
    "created_at",
    "updated_at",
)
ACCOUNTS = ("account_id", "name", "domain", "parent_id", "industry", "city")
DEALS = ("deal_id", "account_id", "contact_id", "name", "stage", "amount", "currency", "close_date")

DEAL_COUNT = 150
STAGES = ("Qualified", "Quoted", "Negotiation", "Won", "Won", "Lost")
OCCASIONS = ("Summer restock", "Rental fleet", "Staff kit", "Wall opening", "Winter range", "Sample order")
Row = Sequence[object]


def crm_files(company: Company) -> dict[str, str]:
    """contacts.csv, accounts.csv and deals.csv by name, with a header line; an empty cell where nothing is known."""
    return {
        "contacts.csv": _csv(CONTACTS, _contacts(company)),
        "accounts.csv": _csv(ACCOUNTS, _accounts(company)),
        "deals.csv": _csv(DEALS, _deals(company)),
    }


def _csv(header: Sequence[str], rows: Iterable[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _contacts(company: Company) -> list[Row]:
    rows = [_contact(company.seed, person, id_) for person in company.people for id_ in person.contact_ids]
    return sorted(rows, key=lambda row: str(row[0]))


def _contact(seed: int, person: Person, contact_id: str) -> Row:
    random = Random(f"{seed}/crm/{contact_id}")
    email = person.work_email or person.email or ""
    created = FIRST_DAY - timedelta(days=random.randint(5, 700), seconds=random.randint(0, 36_000))
    updated = max(created, LAST_DAY - timedelta(days=random.randint(1, 160), seconds=random.randint(0, 36_000)))
    return (
        contact_id,
        person.first_name,
        person.last_name,
        email.title() if random.random() < 0.06 else email,
        _written(person.phone, random),
        person.title,
        person.account_id or "",
        random.choice(lists().owners),
        _moment(created),
        _moment(updated),
    )


def _written(phone: str | None, random: Random) -> str:
    """A number as people write it; every one of these means the same in the United Kingdom."""
    if phone is None:
        return ""
    area, number = phone[3:6], phone[6:]
    return random.choice((phone, f"0{area} {number[:3]} {number[3:]}", f"(0{area}) {number}", f"+44 {area} {number}"))


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _accounts(company: Company) -> list[Row]:
    return [
        (each.id, each.name, each.domain, each.parent_id or "", each.industry, each.city) for each in company.accounts
    ]


def _deals(company: Company) -> list[Row]:
    random = Random(f"{company.seed}/deals")
    contacts = [person for person in company.people if person.contact_ids and person.account_id]
    names = {account.id: account.name for account in company.accounts}
    chosen = [contacts[0], *(random.choice(contacts) for _ in range(DEAL_COUNT - 1))]
    return [_deal(random, number, person, names) for number, person in enumerate(chosen)]


def _deal(random: Random, number: int, person: Person, names: dict[str, str]) -> Row:
    account_id = person.account_id or ""
    closes: date = (FIRST_DAY + timedelta(days=random.randint(0, 115))).date()
    return (
        f"D-{1001 + number}",
        account_id,
        person.contact_ids[0],
        f"{names[account_id]}: {random.choice(OCCASIONS)}",
        random.choice(STAGES),
        f"{random.randint(8, 480) * 50}.00",
        "GBP",
        closes.isoformat(),
    )
