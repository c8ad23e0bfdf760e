"""By which channel somebody came."""

import pytest

from insight.channels import Channel, channel_of


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "channel"),
    [
        (None, None, None, Channel.DIRECT),
        ("(direct)", "(none)", None, Channel.DIRECT),
        ("google", "cpc", "spring", Channel.PAID_SEARCH),
        ("google", "cpc", "Spring Shopping", Channel.PAID_SHOPPING),
        ("google.co.uk", None, None, Channel.ORGANIC_SEARCH),
        ("Google", "organic", None, Channel.ORGANIC_SEARCH),
        ("facebook", "paid_social", None, Channel.PAID_SOCIAL),
        ("l.facebook.com", None, None, Channel.ORGANIC_SOCIAL),
        ("x.climbing.example", None, None, Channel.REFERRAL),
        ("t.co", None, None, Channel.ORGANIC_SOCIAL),
        ("newsletter", "email", "spring", Channel.EMAIL),
        ("youtube.com", None, None, Channel.ORGANIC_VIDEO),
        ("youtube", "cpv, cpc", None, Channel.PAID_VIDEO),
        ("some", "cpm", None, Channel.DISPLAY),
        ("some", "ppc", None, Channel.PAID_OTHER),
        ("amazon.de", None, None, Channel.ORGANIC_SHOPPING),
        ("partner", "affiliate", None, Channel.AFFILIATES),
        ("spotify", "audio", None, Channel.AUDIO),
        ("sms", None, None, Channel.SMS),
        ("app", "web push", None, Channel.MOBILE_PUSH),
        ("climbing.example", None, None, Channel.REFERRAL),
        ("climbing.example", "referral", None, Channel.REFERRAL),
        ("poster", "print", None, Channel.UNASSIGNED),
        ("poster", "y", "cross-network", Channel.CROSS_NETWORK),
        ("poster", "y", "bishop", Channel.UNASSIGNED),
    ],
)
def test_the_channel_follows_from_source_medium_and_campaign(
    source: str | None, medium: str | None, campaign: str | None, channel: Channel
) -> None:
    assert channel_of(source, medium, campaign) is channel
