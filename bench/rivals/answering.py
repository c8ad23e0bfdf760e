"""Serving a Starlette application as the service is served, and telling the port."""

import os
import sys
from socket import create_server

import uvicorn
from neo4j import AsyncDriver, AsyncGraphDatabase
from starlette.applications import Starlette

from graph.interactions import EARLIEST, LATEST
from graph.packing import packed
from graph.portraits import PORTRAITS_BY_IDENTIFIER

PORTRAIT = packed(PORTRAITS_BY_IDENTIFIER)


def driver() -> AsyncDriver:
    """A driver with the settings of the service."""
    reached = (os.environ[f"SELFSAME_NEO4J_{each}"] for each in ("URI", "USER", "PASSWORD"))
    uri, user, password = reached
    return AsyncGraphDatabase.driver(uri, auth=(user, password), notifications_min_severity="OFF")


def portrait_of(user: str) -> tuple[str, dict[str, object]]:
    """The statement of the service for one profile with 20 interactions, as it is sent, and its parameters."""
    asked = [{"key": f"user_id:{user}", "at": LATEST, "id": ""}]
    parameters = {"asked": asked, "first": 21, "types": [], "start": EARLIEST}
    return f"CYPHER replan=skip {PORTRAIT.text}", {"p": parameters}


def serve(name: str, app: Starlette) -> None:
    """Until a signal comes."""
    listener = create_server(("127.0.0.1", 0))
    print(f"{name} answers at http://127.0.0.1:{listener.getsockname()[1]} now", file=sys.stderr, flush=True)
    config = uvicorn.Config(app, http="httptools", loop="uvloop", ws="none", log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[listener])
