"""Where webhooks may go: what is wrong with a URL before anybody is asked, and which addresses are everybody's.

Who names a URL is somebody outside, and what is asked for it is asked from within: so nothing of this machine and its
network may be reached by it (server-side request forgery). A name is looked up when something is sent; then the very
address that was looked at is connected to.
"""

import ipaddress
from urllib.parse import urlsplit

LONGEST_URL = 2_000
INSIDE = "the address is one of this machine or its network (SELFSAME_HOOKS_PRIVATE)"
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an address of the old form behind a translator


def problem_of(url: str, *, private: bool = False) -> str | None:
    """Why nothing can be sent to a URL, None where something can. private: whether this machine may be reached.

    A host that is a name passes: nobody knows yet what it stands for.
    """
    if len(url) > LONGEST_URL or not url.isprintable():
        return f"it has more than {LONGEST_URL} characters, or some that cannot be seen"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is no URL"
    if parts.scheme not in ("http", "https") or not host:
        return "it is no http or https URL with a host"
    if parts.username or parts.password or parts.fragment:
        return "it has a user, a password or a fragment in it"
    return INSIDE if not private and _is_inside(host) else None


def _is_inside(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not is_public(host)
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet, also where it has one of the old form in it.

    Raises ValueError where it is none.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = None
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in TRANSLATED:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
    return (found.is_global or found in TRANSLATED or inner is not None) and (inner is None or inner.is_global)
