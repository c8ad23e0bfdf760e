"""The lists that Fernhill is made of: names, towns, companies, products (fernhill.toml)."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

TEXT = Path(__file__).with_name("fernhill.toml")


@dataclass(frozen=True, slots=True)
class Product:
    """Something that Fernhill sells. pence: its price."""

    sku: str
    name: str
    pence: int
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """All lists, in the order of the file."""

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    cities: tuple[str, ...]
    mail_domains: tuple[str, ...]
    owners: tuple[str, ...]
    titles: tuple[str, ...]
    industries: tuple[str, ...]
    company_words: tuple[str, ...]
    company_kinds: tuple[str, ...]
    products: tuple[Product, ...]


class _Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    first_names: str
    last_names: str
    cities: str
    mail_domains: str
    owners: str
    titles: str
    industries: str
    company_words: str
    company_kinds: str
    products: tuple[tuple[str, str, int, str], ...]


@cache
def lists() -> Lists:
    """What fernhill.toml says; read once."""
    read = msgspec.convert(tomllib.loads(TEXT.read_text(encoding="utf-8")), _Text)
    return Lists(
        first_names=tuple(read.first_names.split()),
        last_names=tuple(read.last_names.split()),
        cities=tuple(read.cities.split()),
        mail_domains=tuple(read.mail_domains.split()),
        owners=tuple(read.owners.split("|")),
        titles=tuple(read.titles.split("|")),
        industries=tuple(read.industries.split("|")),
        company_words=tuple(read.company_words.split()),
        company_kinds=tuple(read.company_kinds.split("|")),
        products=tuple(Product(*each) for each in read.products),
    )
