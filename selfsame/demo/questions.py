"""The questions that the demo asks over GraphQL, and the shapes of their answers."""

from collections.abc import Iterator
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

N = TypeVar("N")

HER_STORY = """\
{
  profile(
    by: {identifier: {namespace: "email", value: "ada.quill@mail.example"}}
  ) {
    called: traits(keys: ["first_name", "last_name"]) { value }
    identifiers(first: 20) { edges { node { namespace value } } }
    sessions(first: 50) { edges { node { start end names } } }
    interactions(first: 100) {
      edges { node { at type source actor { namespace value } } }
    }
  }
}
"""

WHY_ONE = """\
{
  whySame(
    a: {identifier: {namespace: "anonymous_id",
                     value: "6d8605f7-d61c-51b3-9c67-483fb55a7fa3"}}
    b: {identifier: {namespace: "loyalty", value: "L-700001"}}
  ) { same sentence }
}
"""

WHY_NOT = """\
{
  friends: whySame(
    a: {identifier: {namespace: "user_id", value: "fh-20061"}}
    b: {identifier: {namespace: "user_id", value: "fh-20062"}}
  ) { same sentence }
  spouses: whySame(
    a: {identifier: {namespace: "user_id", value: "fh-20021"}}
    b: {identifier: {namespace: "user_id", value: "fh-20022"}}
  ) { same refused { reason generic { namespace value } } }
}
"""

WHO_SHARES = """\
{
  tablet: device(anonymousId: "fc867343-d3e5-59c7-b134-738906d16902") {
    profile { ...Sharing }
  }
  kiosk: device(anonymousId: "f5a3e8ea-cad2-5749-ba84-8140bca75cbc") {
    profile { ...Sharing }
  }
}
fragment Sharing on Profile {
  shared
  sharedBy(first: 5) {
    totalCount
    edges {
      node { called: traits(keys: ["first_name", "last_name"]) { value } }
    }
  }
}
"""

HER_ACCOUNT = """\
{
  profile(
    by: {identifier: {namespace: "email", value: "ada.quill@mail.example"}}
  ) {
    accounts { edges { node { account { name parent { name } } } } }
    colleagues {
      edges {
        node {
          called: traits(keys: ["first_name", "last_name"]) { value }
          title: trait(key: "title") { value }
        }
      }
    }
  }
}
"""


class Edge(msgspec.Struct, Generic[N], frozen=True):
    """One element of a page."""

    node: N


class Page(msgspec.Struct, Generic[N], frozen=True):
    """A page of a list; iterating gives its elements."""

    edges: tuple[Edge[N], ...]

    def __iter__(self) -> Iterator[N]:
        return (edge.node for edge in self.edges)


class Value(msgspec.Struct, frozen=True):
    """A trait's value."""

    value: str


class Name(msgspec.Struct, frozen=True):
    """The name of an identifier, or its namespace alone."""

    namespace: str
    value: str = ""


class Session(msgspec.Struct, frozen=True):
    """A session of a journey."""

    start: datetime
    end: datetime
    names: tuple[str, ...]


class Interaction(msgspec.Struct, frozen=True):
    """Something that happened."""

    at: datetime
    type: str
    source: str
    actor: Name


class Heroine(msgspec.Struct, frozen=True):
    """A person's story."""

    called: tuple[Value, ...]
    identifiers: Page[Name]
    sessions: Page[Session]
    interactions: Page[Interaction]


class HerStory(msgspec.Struct, frozen=True):
    """The answer to HER_STORY."""

    profile: Heroine


class RefusedLink(msgspec.Struct, frozen=True):
    """A link that was not accepted."""

    reason: str
    generic: tuple[Name, ...]


class Explanation(msgspec.Struct, frozen=True):
    """Whether two are one."""

    same: bool
    sentence: str = ""
    refused: tuple[RefusedLink, ...] = ()


class WhyOne(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to WHY_ONE."""

    why_same: Explanation


class WhyNot(msgspec.Struct, frozen=True):
    """The answer to WHY_NOT."""

    friends: Explanation
    spouses: Explanation


class Person(msgspec.Struct, frozen=True):
    """A person by her names, as far as they are known."""

    called: tuple[Value, ...]
    title: Value | None = None

    @property
    def name(self) -> str:
        """First and last name."""
        return " ".join(each.value for each in self.called) or "somebody unnamed"


class People(msgspec.Struct, frozen=True, rename="camel"):
    """The first of those who share something, and how many they are."""

    total_count: int
    edges: tuple[Edge[Person], ...]


class Sharing(msgspec.Struct, frozen=True, rename="camel"):
    """The profile of a shared device."""

    shared: bool
    shared_by: People


class Device(msgspec.Struct, frozen=True):
    """A device and its profile."""

    profile: Sharing


class WhoShares(msgspec.Struct, frozen=True):
    """The answer to WHO_SHARES."""

    tablet: Device
    kiosk: Device


class Parent(msgspec.Struct, frozen=True):
    """An account above another."""

    name: str


class Account(msgspec.Struct, frozen=True):
    """An account and what it is part of."""

    name: str
    parent: Parent | None


class Membership(msgspec.Struct, frozen=True):
    """That somebody belongs to an account."""

    account: Account


class Colleague(msgspec.Struct, frozen=True):
    """Somebody with accounts and colleagues."""

    accounts: Page[Membership]
    colleagues: Page[Person]


class HerAccount(msgspec.Struct, frozen=True):
    """The answer to HER_ACCOUNT."""

    profile: Colleague
