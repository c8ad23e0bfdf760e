"""The tills and the order book, as the JSONL files that they export."""

import json
from collections import Counter
from collections.abc import Iterable
from random import Random

from selfsame.demo.company import Company, Person
from selfsame.demo.purchases import Line, Order, Receipt, orders_of, receipts_of


def till_files(company: Company) -> dict[str, str]:
    """receipts.jsonl and orders.jsonl by name, each line one record, in order of time."""
    return {
        "receipts.jsonl": json_lines(_receipts(company)),
        "orders.jsonl": json_lines(_orders(company)),
    }


def json_lines(records: Iterable[object]) -> str:
    """One record a line."""
    return "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)


def _receipts(company: Company) -> list[dict[str, object]]:
    """Receipts; their numbers start again every day in every shop."""
    random = Random(f"{company.seed}/till")
    numbers: Counter[tuple[str, str]] = Counter()
    told = []
    for receipt in receipts_of(company):
        day = (receipt.store, receipt.at.date().isoformat())
        numbers[day] += 1
        told.append(_receipt(receipt, numbers[day], random))
    return told


def _receipt(receipt: Receipt, number: int, random: Random) -> dict[str, object]:
    return {
        "store": receipt.store,
        "till": receipt.till,
        "receipt_no": number,
        "date": receipt.at.date().isoformat(),
        "at": receipt.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "customer": _customer(receipt, random) if receipt.person else None,
        "lines": _lines(receipt.lines),
        "total": receipt.pence / 100,
        "currency": "GBP",
    }


def _customer(receipt: Receipt, random: Random) -> dict[str, str]:
    person = receipt.person
    given = {name: getattr(person, name) for name in receipt.shows}
    if "phone" in given and random.random() < 0.7:
        given["phone"] = _national(given["phone"])
    return given


def _national(phone: str) -> str:
    return f"0{phone[3:6]} {phone[6:]}"


def _lines(lines: Iterable[Line]) -> list[dict[str, object]]:
    return [{"sku": line.product.sku, "quantity": line.quantity, "price": line.product.pence / 100} for line in lines]


def _orders(company: Company) -> list[dict[str, object]]:
    random = Random(f"{company.seed}/order book")
    return [_order(order, random) for order in orders_of(company)]


def _order(order: Order, random: Random) -> dict[str, object]:
    return {
        "order_id": order.order_id,
        "placed_at": order.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "email": order.person.email if order.on_web or random.random() < 0.6 else None,
        "phone": _phone(order.person, order.on_web, random),
        "total": order.pence / 100,
        "currency": "GBP",
        "lines": _lines(order.lines),
    }


def _phone(person: Person, on_web: bool, random: Random) -> str | None:
    """On the web half of the people leave their number; who orders by phone is called back."""
    if person.phone is None or (on_web and random.random() < 0.5):
        return None
    return _national(person.phone) if random.random() < 0.5 else person.phone
