"""The destination of dlt's pipelines: `dlt.pipeline("crm", destination=selfsame(url=…, secret=…))`.

dlt's words stand here and nowhere else: to dlt we are a destination, to us what it reads is a source. Rows are sent to
webhooks of a running service, where mappings say what they mean, and so a pipeline needs neither the graph's password
nor a way to it. A batch is acknowledged when it is committed; dlt repeats what was not and goes on behind what was.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dlt
import requests
from dlt.common import logger
from dlt.common.destination.exceptions import DestinationTerminalException, DestinationTransientException
from dlt.common.schema import TTableSchema
from dlt.common.typing import TDataItems

from loaders.rows import bodies_of, signed_headers
from loaders.signatures import SecretUnusableError

BATCH = 1_000
SECONDS = (10, 120)  # to be connected; to be answered, after the commit
SHOWN = 5


def send_rows(
    items: TDataItems,
    table: TTableSchema,
    url: str = dlt.config.value,
    secret: str = dlt.secrets.value,
    webhooks: dict[str, str] | None = None,
    strict: bool = False,
) -> None:
    """Send rows to the webhook of their table and return once they are committed or kept as dead letters.

    url: of the service. secret: `whsec_…`, as the webhook has it. webhooks: table → webhook, where its name is another
    one. strict: whether a row that became a dead letter ends the load. Raises DestinationTransientException for what
    may pass, DestinationTerminalException with table and reason for what will not.
    """
    name = str(table["name"])
    address = f"{url.rstrip('/')}/webhooks/{(webhooks or {}).get(name, name.lower())}"
    for body in bodies_of(name, _key(table), items):
        answer = _sent(address, body, secret, name)
        if answer["rejected_total"]:
            _tell(name, answer, strict=strict)


selfsame = dlt.destination(send_rows, name="selfsame", batch_size=BATCH, loader_file_format="typed-jsonl")


def _key(table: TTableSchema) -> str | None:
    """The column that names a row, where dlt knows one."""
    keys = [str(name) for name, column in table.get("columns", {}).items() if column.get("primary_key")]
    return keys[0] if len(keys) == 1 else None


def _sent(address: str, body: bytes, secret: str, table: str) -> Mapping[str, Any]:
    try:
        headers = signed_headers(body, secret, datetime.now(UTC))
    except SecretUnusableError as error:
        raise DestinationTerminalException(f"table {table}: secret: {error}") from error
    try:
        response = requests.post(address, data=body, headers=headers, timeout=SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        sentence = f"table {table}: {address} does not answer ({type(error).__name__})"
        raise DestinationTransientException(sentence) from None  # dlt prints the whole chain with each attempt
    if response.status_code == 200:
        answer: Mapping[str, Any] = response.json()
        return answer
    sentence = f"table {table}: {address} answered {response.status_code}: {_reason(response)}"
    if response.status_code == 429 or response.status_code >= 500:
        raise DestinationTransientException(sentence)
    raise DestinationTerminalException(sentence)


def _reason(response: requests.Response) -> str:
    """Why the service refuses, in its own words."""
    try:
        error = response.json()["error"]
        return f"{error['message']} ({error['code']})"
    except (ValueError, KeyError, TypeError):
        return response.reason or "no reason given"


def _tell(table: str, answer: Mapping[str, Any], *, strict: bool) -> None:
    places = [f"{each['place']} ({each['code']})" for each in answer["rejected"][:SHOWN]]
    more = ["…"] if answer["rejected_total"] > SHOWN else []
    sentence = f"table {table}: {answer['rejected_total']} rows became dead letters: {', '.join([*places, *more])}"
    if strict:
        raise DestinationTerminalException(sentence)
    logger.warning(sentence)
