"""What a track message is about: the order and the products that its properties name, in Segment's spelling."""

from collections.abc import Mapping

from identity.messages import About, Json, SourceName, Subject
from loaders.wire import text_of

PRODUCTS_LIMIT = 50
KEY_LIMIT = 512

ORDER_FACTS = (
    "total", "subtotal", "revenue", "tax", "shipping", "discount", "coupon", "currency", "affiliation", "status",
)  # fmt: skip
PRODUCT_FACTS = ("name", "brand", "category", "variant", "price", "currency", "url", "image_url")


def things_of(properties: Mapping[str, Json], source: SourceName) -> tuple[About, ...]:
    """The order, the product, and the first 50 listed products that the properties of a message name."""
    order = _order(properties, source)
    listed = products_in(properties)[:PRODUCTS_LIMIT]
    products = [_product(each, source) for each in (properties, *(_priced(each, properties) for each in listed))]
    return tuple({(each.subject, each.key): each for each in (order, *products) if each is not None}.values())


def products_in(properties: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """The objects that `products` lists."""
    listed = properties.get("products")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _order(properties: Mapping[str, Json], source: SourceName) -> About | None:
    key = _key(source, properties.get("order_id"))
    return None if key is None else About(Subject.ORDER, key, _facts(properties, ORDER_FACTS))


def _product(stated: Mapping[str, Json], source: SourceName) -> About | None:
    key = _key(source, stated.get("product_id")) or _key(source, stated.get("sku"))
    return None if key is None else About(Subject.PRODUCT, key, _facts(stated, PRODUCT_FACTS))


def _priced(listed: Mapping[str, Json], properties: Mapping[str, Json]) -> Mapping[str, Json]:
    """A listed product; where it has a price and no currency, that of the order is meant."""
    if listed.get("price") is None or "currency" in listed or "currency" not in properties:
        return listed
    return {**listed, "currency": properties["currency"]}


def _key(source: SourceName, value: Json) -> str | None:
    text = (text_of(value) or "").strip()
    return f"{source}:{text}" if text and len(text.encode()) <= KEY_LIMIT else None


def _facts(stated: Mapping[str, Json], names: tuple[str, ...]) -> dict[str, Json]:
    return {name: stated[name] for name in names if stated.get(name) is not None}
