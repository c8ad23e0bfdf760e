"""Webhooks go to http and https addresses of the internet, and nowhere inside unless that is allowed."""

import pytest

from insight.urls import INSIDE, is_public, problem_of

INNER = (
    *("127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.1.2.3", "100.64.0.1", "::1", "fe80::1%eth0"),
    *("fd00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "::"),
)


@pytest.mark.parametrize("address", INNER)
def test_an_address_inside_is_known_in_each_of_its_forms(address: str) -> None:
    assert not is_public(address)
    host = f"[{address}]" if ":" in address else address
    assert problem_of(f"https://{host}/told") == INSIDE
    assert problem_of(f"http://{host}:8080/told?x=1", private=True) is None


def test_what_is_of_the_internet_or_a_name_passes() -> None:
    assert all(map(is_public, ("8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8")))
    for url in ("https://a.example", "http://8.8.8.8:81/x?y=1", "https://[2606:4700::1111]/", "https://localhost.io"):
        assert problem_of(url) is None, url


def test_what_is_no_url_of_a_receiver_is_said_why() -> None:
    for url, why in (
        ("ftp://a.example", "no http or https"),
        ("https:///x", "no http or https"),
        ("https://u:p@a.example", "a password"),
        ("https://a.example/#x", "a fragment"),
        ("https://[::1", "no URL"),
        ("https://a.example:99999", "no URL"),
        ("https://a.example/\n", "cannot be seen"),
        (f"https://a.example/{'x' * 2_000}", "more than 2000"),
        ("http://localhost:8000", "this machine"),
        ("http://x.localhost", "this machine"),
    ):
        assert why in (problem_of(url) or ""), url
