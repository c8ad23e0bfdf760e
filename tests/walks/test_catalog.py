"""Every source of the catalogue that sends by itself: from a request that its vendor signed to a person."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.connection import connected
from identity.messages import Authority, Json, Message, Rejection
from loaders.formats.records import Found
from loaders.mapping import CATALOG
from loaders.translating import translated
from loaders.webhooks import Content, records_in
from tests.loaders.mappings import shipped
from tests.loaders.segment import NOW
from tests.loaders.test_segment_http import ANY_JSON
from tests.serving import Neo4jAddress, empty
from tests.walks.service import Company, in_process, taken
from tests.walks.vendors import SIGNS, deliver, example, examples, hooks

pytestmark = [pytest.mark.anyio]


@dataclass(frozen=True)
class Case:
    """What a vendor's examples, sent in this order, tell of one person."""

    vendor: str
    sent: tuple[str, ...]
    who: frozenset[str]
    events: tuple[str, ...]


def case(vendor: str, sent: str, who: str, *events: str) -> Case:
    return Case(vendor, tuple(sent.split()), frozenset(who.split()), events)


CASES = [
    case(
        "stripe",
        "customer checkout",
        "cus_Fern0001 stripe-user-1 ines.stripe@fernhill.example ines.home@fernhill.example +442079460010",
        "identify",
        "Order Completed",
    ),
    case(
        "shopify",
        "customer order",
        "fernhill.myshopify.example:706405506930370001 omar.shop@fernhill.example omar.work@fernhill.example"
        " +442079460020",
        "identify",
        "Order Completed",
    ),
    case(
        "woocommerce",
        "order customer",
        "https://shop.fernhill.example/:26 priya.woo@fernhill.example priya@fernhill.example +442079460030",
        "Order Completed",
        "identify",
    ),
    case("typeform", "response", "typeform-user-1 jon.form@fernhill.example", "Form Submitted"),
    case(
        "calendly",
        "booked cancelled",
        "kay.meet@fernhill.example +442079460050",
        "Meeting Booked",
        "Meeting Cancelled",
    ),
    case(
        "hubspot",
        "changes merge",
        "33001:601 33001:602 33001:603 lena.crm@fernhill.example +442079460060",
        *["identify"] * 5,
        "HubSpot contact.merge",
        "HubSpot contact.merge",
        "group",
        "Deal Associated",
    ),
    case("slack", "profile message", "T0FERN:U0MILO milo.chat@fernhill.example", "identify", "Slack message"),
    case("facebook", "lead", "551100001 nora.lead@fernhill.example +442079460070", "Lead Ad Answered"),
    case("facebook", "announced", "551100002", "Lead Ad Announced"),
    case("instagram", "message comment", "178001:990001", "Instagram Message", "Instagram Comment"),
    case(
        "square",
        "customer payment",
        "MLFERN:CUSTFERN1 pat.square@fernhill.example pat.receipt@fernhill.example +442079460080",
        "identify",
        "Square Payment COMPLETED",
    ),
    case("webflow", "form order", "rui.flow@fernhill.example +442079460090", "Form Submitted", "Order Completed"),
    case(
        "wix",
        "contact merged",
        "wix-site-1:wix-contact-1 wix-site-1:wix-contact-2 wix-site-1:wix-visitor-1 sam.wix@fernhill.example"
        " +442079460100",
        "identify",
        "Wix Contacts Merged",
    ),
    case(
        "mindbody",
        "client booking",
        "-99:100000009 tess.studio@fernhill.example +442079460110",
        "identify",
        "Mindbody classRosterBooking.created",
    ),
    case("google_ads", "lead", "lead-fern-0001 uma.ads@fernhill.example +442079460120", "Lead Ad Answered"),
    case(
        "salesforce",
        "lead contact account",
        "00Q000000000001AAA 003000000000001AAA vic.lead@fernhill.example vic.sales@fernhill.example +442079460130",
        "identify",
        "identify",
    ),
    case("wordpress", "entry", "12 wes.blog@fernhill.example +442079460140", "Form Submitted"),
    case("google_sheets", "rows", "member-1 xena.sheet@fernhill.example +442079460150", "identify"),
    case("zapier", "person event", "zap-user-1 zoe.zap@fernhill.example", "identify", "Webinar Attended"),
    case("make", "event person", "make-user-1 abe.make@fernhill.example +442079460160", "Trial Started", "identify"),
    case("clay", "enrichment", "bea.clay@fernhill.example", "identify"),
    case("pos", "receipt refund", "L-5001 cy.till@fernhill.example", "Order Completed", "Order Refunded"),
    case("product_usage", "events", "usage-user-1 SN-0001", "Kettle Paired", "Kettle Boiled"),
]


@pytest.fixture(scope="module")
async def company(neo4j_server: Neo4jAddress) -> AsyncIterator[Company]:
    """One service for all vendors, whose examples tell of different people."""
    async with connected(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as connection:
        await empty(connection.writer)
        async with in_process(connection, hooks=hooks()) as running:
            yield running


@pytest.mark.neo4j
@pytest.mark.parametrize("case", CASES, ids=lambda each: each.vendor)
async def test_what_a_vendor_signed_tells_of_a_person_and_twice_is_once(company: Company, case: Case) -> None:
    sent = [example(case.vendor, name) for name in case.sent]
    first = [taken(await deliver(company, each)) for each in sent]
    assert [each for each in first if each["rejected_total"] or not each["committed"]] == []
    again = [taken(await deliver(company, each)) for each in sent]
    assert [each["repeat"] for each in again] == [each["committed"] for each in first]
    assert sum(each["repeat_differs"] for each in again) == 0
    person = await company.person(min(case.who))
    assert (person.who, person.events, person.known) == (case.who, case.events, True)


def read(vendor: str, name: str) -> list[Message]:
    """The messages of an example, all of whose records can be read."""
    sent, hook = example(vendor, name), hooks()[vendor]
    content = Content({key.lower(): value for key, value in sent.headers.items()}, sent.body)
    records = records_in(content, hook.mapping, hook.webhook)
    assert not isinstance(records, Rejection)
    given_by = [translated(each, hook.mapping, NOW) for each in records]
    assert [each.rejection for each in given_by if each.rejection is not None] == []
    return [message for each in given_by for message in each.messages]


@pytest.mark.parametrize(("vendor", "name"), sorted(examples()))
def test_an_example_is_read_without_a_warning_and_everything_in_it_has_its_time(vendor: str, name: str) -> None:
    messages = read(vendor, name)
    assert messages
    assert [each.warnings for each in messages if each.warnings] == []
    assert all(each.sure for each in messages)


TYPED = {
    ("stripe", "checkout"): "email",
    ("shopify", "order"): "email phone",
    ("woocommerce", "order"): "email phone",
    ("typeform", "response"): "user_id email",
    ("calendly", "booked"): "email phone",
    ("facebook", "lead"): "email phone",
    ("square", "payment"): "email",
    ("webflow", "form"): "email phone",
    ("google_ads", "lead"): "email phone",
    ("wordpress", "entry"): "email phone",
    ("pos", "receipt"): "email",
}


@pytest.mark.parametrize(("vendor", "name"), sorted(TYPED))
def test_what_a_visitor_typed_is_claimed_and_the_vendors_own_ids_are_verified(vendor: str, name: str) -> None:
    sightings = [each for message in read(vendor, name) for each in message.sightings]
    claimed = {each.namespace for each in sightings if each.authority is Authority.CLAIMED}
    verified = {each.namespace for each in sightings if each.authority is Authority.VERIFIED}
    assert claimed == set(TYPED[vendor, name].split())
    assert all(each.startswith(vendor) for each in verified)


@given(st.sampled_from(sorted(SIGNS)), ANY_JSON)
def test_no_content_breaks_a_mapping_of_the_catalogue(vendor: str, body: Json) -> None:
    hook = hooks()[vendor]
    for held in (body, {"data": {"object": body}, "payload": body, "entry": body, "rows": body, "event": body}):
        headers = dict.fromkeys(hook.webhook.header_values({}), "x")
        translated(Found({"body": held, "headers": headers}, "fuzz", "raw"), hook.mapping, NOW)


def test_every_example_is_sent_and_every_webhook_of_the_catalogue_has_one() -> None:
    assert {(each.vendor, name) for each in CASES for name in each.sent} == examples()
    heard = {path.stem for path in CATALOG.glob("*.toml") if shipped(path.stem).webhook is not None}
    assert heard == set(SIGNS) == {each.vendor for each in CASES}


@pytest.mark.parametrize("vendor", sorted(SIGNS))
def test_every_vendor_has_a_page_that_says_how_to_set_it_up(vendor: str) -> None:
    page = (CATALOG.parents[1] / "docs" / "sources" / f"{vendor.replace('_', '-')}.md").read_text("utf-8")
    assert f"[webhooks.{vendor}]" in page
    assert {"## Set up", "## What becomes what", "## Pitfalls"} <= set(page.splitlines())
