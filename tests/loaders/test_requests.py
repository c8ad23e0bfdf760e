"""Requests about somebody's data: which records are one, who may pass one on, and for whom."""

import pytest

from identity.messages import Json, SourceName
from identity.requests import Asked, Wish, key_asked
from loaders.errors import MappingInvalidError
from loaders.formats.records import Found
from loaders.mapping import mapping_from_toml, mapping_named
from loaders.mapping_text import Local
from loaders.translating import UNSIGNED, Translated, of_a_file, translated
from tests.building import default_policy
from tests.loaders.segment import NOW

SHOP = "fern.myshopify.example"


def shopify(topic: str, body: Json, source: str = "shopify") -> Translated:
    headers: Json = {"x_shopify_topic": topic, "x_shopify_shop_domain": SHOP, "x_shopify_event_id": "e1"}
    mapping = mapping_named("shopify", Local(source=source))
    return translated(Found({"body": body, "headers": headers}, "webhook:shopify", "raw"), mapping, NOW)


def asked(read: Translated) -> Asked:
    assert (read.rejection, read.messages, read.skipped) == (None, (), None)
    (request,) = read.asked
    return request


CUSTOMER: Json = {"shop_id": 1, "shop_domain": SHOP, "customer": {"id": 7, "email": "a@x.com", "phone": None}}


def test_shopify_asks_to_erase_one_customer_all_of_a_shop_or_to_hand_out() -> None:
    one = asked(shopify("customers/redact", CUSTOMER))
    assert (one.wish, one.namespace, one.value, one.whole) == (Wish.ERASURE, "shopify_customer", f"{SHOP}:7", False)
    assert asked(shopify("customers/data_request", CUSTOMER)).wish is Wish.ACCESS
    every = asked(shopify("shop/redact", {"shop_id": 1, "shop_domain": SHOP}))
    assert (every.wish, every.value, every.whole) == (Wish.ERASURE, f"{SHOP}:", True)


def test_of_two_shops_as_two_sources_each_asks_for_its_own_alone() -> None:
    request = asked(shopify("customers/redact", CUSTOMER, source="shop_eu"))
    assert (request.source, request.namespace) == ("shop_eu", "shop_eu_customer")


def test_a_request_that_does_not_say_whose_is_rejected_and_so_kept() -> None:
    read = shopify("customers/redact", {"customer": None})
    assert read.rejection is not None
    assert (read.rejection.code, read.asked) == ("not_mappable", ())


def test_hubspot_asks_by_a_privacy_deletion() -> None:
    event: Json = {"subscriptionType": "contact.privacyDeletion", "portalId": 3, "objectId": 9, "eventId": 1}
    event |= {"occurredAt": 1768000000000}
    read = translated(Found({"body": event, "headers": {}}, "w", "raw"), mapping_named("hubspot"), NOW)
    assert asked(read).value == "3:9"


def wix(event: dict[str, Json]) -> Translated:
    whole: Json = {"data": {"instanceId": "s1", "data": {"entityFqdn": "wix.contacts.v4.contact", **event}}}
    return translated(Found({"body": whole, "headers": {}}, "w", "raw"), mapping_named("wix"), NOW)


@pytest.mark.parametrize("what", [{"deletedEvent": {}}, {"updatedEvent": {"currentEntity": {"id": "c1"}}}])
def test_what_happens_in_wix_since_somebody_asked_to_be_forgotten_is_a_request_and_tells_nothing(what: Json) -> None:
    assert isinstance(what, dict)
    event = {"id": "e1", "entityId": "c1", "eventTime": "2026-01-15T09:00:00Z", **what}
    assert asked(wix({**event, "triggeredByAnonymizeRequest": True})).value == "s1:c1"
    assert wix({**event, "triggeredByAnonymizeRequest": False}).asked == ()


def test_a_merge_in_wix_is_no_erasure() -> None:
    event: dict[str, Json] = {"id": "e1", "entityId": "c1", "deletedEvent": {}, "originatedFrom": "merge"}
    assert wix({**event, "triggeredByAnonymizeRequest": False}).asked == ()


def test_what_nobody_signed_asks_for_nothing() -> None:
    read = of_a_file(shopify("customers/redact", CUSTOMER))
    assert read == Translated(skipped=UNSIGNED)
    told = of_a_file(shopify("customers/update", {"id": 7}))
    assert len(told.messages) == 1


def test_a_value_that_names_nobody_is_kept_as_it_is() -> None:
    request = Asked(SourceName("crm"), "1", Wish.ERASURE, "user_id", " u1 ")
    assert key_asked(request, default_policy()) == "user_id:u1"
    blocked = Asked(SourceName("crm"), "1", Wish.ERASURE, "user_id", "null")
    assert key_asked(blocked, default_policy()) == "user_id:null"


MAPPING = """
source = "own"
namespaces.own_person = { role = "Contact" }

[[message]]
kind = "track"
identifiers = [{ namespace = "own_person", value = "body.id" }]

[[request]]
wish = "erasure"
when = "body.forget"
id = "body.event"
namespace = "own_person"
value = "body.id"
"""
SIGNED = '[webhook.signature]\nheader = "X-Sign"\n'


def test_only_a_signed_webhook_may_ask_and_only_for_its_own_records() -> None:
    assert mapping_from_toml(MAPPING + SIGNED, "own.toml").requests
    token = SIGNED + 'kind = "header_token"\n'
    for text in (MAPPING, MAPPING + token):
        with pytest.raises(MappingInvalidError, match="only a webhook whose body is signed"):
            mapping_from_toml(text, "own.toml")
    other = MAPPING.replace('namespace = "own_person"\nvalue', 'namespace = "email"\nvalue')
    with pytest.raises(MappingInvalidError, match="`email` is none that this mapping declares"):
        mapping_from_toml(other + SIGNED, "own.toml")
