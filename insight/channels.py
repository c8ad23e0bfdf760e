"""Marketing channels: by which way somebody came, from what a campaign and a referrer say.

The grouping is the default one of Google Analytics 4, which most marketers know: the rules stand in its order, and the
first that fits counts. Of the lists of sites we keep those that people meet; another one is a referral.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    """By which way somebody came."""

    DIRECT = "direct"
    CROSS_NETWORK = "cross_network"
    PAID_SHOPPING = "paid_shopping"
    PAID_SEARCH = "paid_search"
    PAID_SOCIAL = "paid_social"
    PAID_VIDEO = "paid_video"
    DISPLAY = "display"
    PAID_OTHER = "paid_other"
    ORGANIC_SHOPPING = "organic_shopping"
    ORGANIC_SOCIAL = "organic_social"
    ORGANIC_VIDEO = "organic_video"
    ORGANIC_SEARCH = "organic_search"
    REFERRAL = "referral"
    EMAIL = "email"
    AFFILIATES = "affiliates"
    AUDIO = "audio"
    SMS = "sms"
    MOBILE_PUSH = "mobile_push"
    UNASSIGNED = "unassigned"


SEARCH = frozenset(
    {"google", "bing", "duckduckgo", "yahoo", "baidu", "ecosia", "yandex", "qwant", "startpage", "naver", "brave"}
)
SOCIAL = frozenset(
    {"facebook", "fb", "instagram", "ig", "twitter", "x", "t", "linkedin", "lnkd", "pinterest", "reddit", "tiktok"}
    | {"snapchat", "threads", "mastodon", "bsky", "whatsapp", "telegram", "discord", "quora", "tumblr", "vk"}
)
VIDEO = frozenset({"youtube", "youtu", "vimeo", "twitch", "dailymotion", "netflix", "hulu"})
SHOPPING = frozenset({"amazon", "ebay", "etsy", "walmart", "aliexpress", "alibaba", "idealo", "shopzilla"})
SECOND = frozenset({"co", "com", "org"})  # of google.co.uk the name stands before it
EMAIL = frozenset({"email", "e-mail", "e_mail", "e mail"})
SOCIAL_MEDIA = frozenset({"social", "social-network", "social-media", "sm", "social network", "social media"})

PAID = re.compile(r".*cp.*|ppc|retargeting|paid.*")
SHOP = re.compile(r"(.*[^a-df-z]|)shop.*|.*shopping.*")


@dataclass(frozen=True, slots=True)
class Origin:
    """From where somebody came. source: the word of a campaign, or the host of a referrer; all in small letters."""

    source: str = ""
    medium: str = ""
    campaign: str = ""

    def among(self, sites: frozenset[str]) -> bool:
        """Whether the source is one of these sites, by its word or by the name in its host."""
        *_, second, last = ("", "", *self.source.split("."))
        before = self.source.split(".")[-3:-2]
        name = before[0] if second in SECOND and before else second or last
        return name in sites

    @property
    def paid(self) -> bool:
        """Whether the medium says that it was paid for."""
        return PAID.fullmatch(self.medium) is not None


Fits = Callable[[Origin], bool]
RULES: tuple[tuple[Channel, Fits], ...] = (
    (Channel.DIRECT, lambda it: it.source in {"", "(direct)", "direct"} and it.medium in {"", "(none)", "(not set)"}),
    (Channel.CROSS_NETWORK, lambda it: "cross-network" in it.campaign),
    (Channel.PAID_SHOPPING, lambda it: it.paid and (it.among(SHOPPING) or _shop(it))),
    (Channel.PAID_SEARCH, lambda it: it.paid and it.among(SEARCH)),
    (Channel.PAID_SOCIAL, lambda it: it.paid and it.among(SOCIAL)),
    (Channel.PAID_VIDEO, lambda it: it.paid and it.among(VIDEO)),
    (Channel.DISPLAY, lambda it: it.medium in {"display", "banner", "expandable", "interstitial", "cpm"}),
    (Channel.PAID_OTHER, lambda it: it.paid),
    (Channel.ORGANIC_SHOPPING, lambda it: it.among(SHOPPING) or _shop(it)),
    (Channel.ORGANIC_SOCIAL, lambda it: it.among(SOCIAL) or it.medium in SOCIAL_MEDIA),
    (Channel.ORGANIC_VIDEO, lambda it: it.among(VIDEO) or "video" in it.medium),
    (Channel.ORGANIC_SEARCH, lambda it: it.medium == "organic" or (it.among(SEARCH) and it.medium not in EMAIL)),
    (Channel.EMAIL, lambda it: it.source in EMAIL or it.medium in EMAIL),
    (Channel.AFFILIATES, lambda it: it.medium == "affiliate"),
    (Channel.AUDIO, lambda it: it.medium == "audio"),
    (Channel.SMS, lambda it: "sms" in {it.source, it.medium}),
    (
        Channel.MOBILE_PUSH,
        lambda it: it.medium.endswith("push") or "mobile" in it.medium or "notification" in it.medium,
    ),
    (Channel.REFERRAL, lambda it: it.medium in {"referral", "app", "link", ""}),
)


def _shop(origin: Origin) -> bool:
    return SHOP.fullmatch(origin.campaign) is not None


def channel_of(source: str | None, medium: str | None, campaign: str | None) -> Channel:
    """The channel of what a campaign or a referrer says, whatever its case; nothing said at all is DIRECT."""
    origin = Origin(*((each or "").strip().lower() for each in (source, medium, campaign)))
    return next((channel for channel, fits in RULES if fits(origin)), Channel.UNASSIGNED)
