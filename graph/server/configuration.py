"""What the local Neo4j is told: its neo4j.conf, line by line, with the reason."""

from dataclasses import dataclass
from pathlib import Path

from graph.server.folders import ROOM_MB


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """A local Neo4j to start.

    cache_dir: for its jars, by default the desktop's cache; bolt_port: by default a free one; room_mb: what data and
    cache need free on their disks.
    """

    data_dir: Path
    cache_dir: Path | None = None
    heap_mb: int = 1_024
    page_cache_mb: int = 256
    bolt_port: int | None = None
    room_mb: int = ROOM_MB


def neo4j_conf(settings: ServerSettings) -> str:
    """The text of neo4j.conf."""
    lines = {
        "server.bolt.enabled": "true",
        "server.bolt.listen_address": f"127.0.0.1:{settings.bolt_port or 0}",
        "server.memory.pagecache.size": f"{settings.page_cache_mb}m",
        "server.directories.logs": settings.data_dir / "logs",
        "dbms.security.auth_enabled": "true",
        # An embedded Neo4j sets no root for it and reads any file of this machine.
        "dbms.security.allow_csv_import_from_file_urls": "false",
        "dbms.usage_report.enabled": "false",
        # Statements carry personal data; and writing each one costs time.
        "db.logs.query.enabled": "OFF",
        # While Neo4j promises signs of life, the driver gives each read of a socket a task and a timer: a tenth of its
        # processor time (in turn 0.84, 0.71, 0.64 ms of a portrait's statement; without 0.74, 0.64, 0.57).
        # On one machine a process that ends closes its sockets, and whoever waits for one that hangs has limits.
        "server.bolt.connection_keep_alive_for_requests": "OFF",
        # By default each of the two databases takes 256 MB before it holds anything, and keeps logs of two days.
        "db.tx_log.rotation.size": "32m",
        "db.tx_log.rotation.retention_policy": "keep_none",
        # A clean stop took 10 s, all of it waiting for Bolt connections that nobody opens any more; now 0.3 s.
        "internal.dbms.bolt.netty_server_shutdown_quiet_period_duration": "0s",
        "internal.dbms.bolt.netty_server_shutdown_timeout": "2s",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())
