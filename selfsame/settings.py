"""Settings: the environment, then a TOML file, then what is written here; one frozen value for the whole process."""

import os
import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from identity.erasure import LEAST_KEY_BYTES
from identity.policy import Policy
from insight.interactions import Named, Word, named_kinds
from selfsame.errors import InputInvalidError, SettingsInvalidError
from selfsame.hook_settings import WebhookSettings
from selfsame.origins import Origins, origin_of
from selfsame.presets import policy_named, policy_path
from selfsame.providers import Provider

PREFIX = "SELFSAME_"
CONSUME_SETTINGS = "SELFSAME_CONSUME_SETTINGS"  # the file of `selfsame consume --settings`
LOAD_SQL = "SELFSAME_LOAD_SQL"  # the URL of `selfsame load --sql`, so that no password stands in a command
NESTED = "__"
HEXADECIMAL = re.compile(rf"(?:[0-9a-fA-F]{{2}}){{{LEAST_KEY_BYTES},}}")
CONFIG = "SELFSAME_CONFIG"
LEAST_SECRET = 32
WEB_ADDRESS = (
    r"^(https://.+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/.*)?)$"  # a key from an open line is anybody's
)


class LogLevel(StrEnum):
    """From which weight on a log line is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Introspection(StrEnum):
    """Who is told the schema."""

    ALL = "all"
    PRIVILEGED = "privileged"
    OFF = "off"


class LogFormat(StrEnum):
    """How log lines look: for people, or one JSON object a line."""

    CONSOLE = "console"
    JSON = "json"


def _data_dir() -> Path:
    stem = os.environ.get("XDG_DATA_HOME", "")
    return (Path(stem) if stem else Path.home() / ".local" / "share") / "selfsame"


Port = Annotated[int, Field(ge=0, le=65_535)]


class Settings(BaseSettings):
    """Everything that can be set, each with its meaning; docs/settings.md says the same, and a test compares them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, env_nested_delimiter=NESTED, frozen=True, extra="forbid"
    )

    data_dir: Path = Field(
        default_factory=_data_dir, description="Where the local Neo4j, its logs and the service's own files live."
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="The address the service listens on.")
    port: Port = Field(default=8000, description="The port the service listens on; 0 takes a free one.")
    neo4j_uri: str | None = Field(
        default=None,
        pattern=r"^(neo4j|bolt)(\+s|\+ssc)?://.+",
        description="A Neo4j to use; without it the service starts a local one of its own.",
    )
    neo4j_user: str = Field(default="neo4j", description="The user at SELFSAME_NEO4J_URI.")
    neo4j_password: SecretStr = Field(default=SecretStr(""), description="The password at SELFSAME_NEO4J_URI.")
    neo4j_database: str = Field(default="neo4j", min_length=1, description="The database to use.")
    neo4j_heap_mb: int = Field(default=1_024, ge=256, description="Heap of the local Neo4j, in MB.")
    neo4j_page_cache_mb: int = Field(default=256, ge=32, description="Page cache of the local Neo4j, in MB.")
    neo4j_port: Port = Field(default=0, description="Bolt port of the local Neo4j; 0 takes a free one.")
    policy: str = Field(
        default="default", min_length=1, description="The rules of stitching: the name of a preset, or a TOML file."
    )
    erasure_key: SecretStr | None = Field(
        default=None,
        description="Secret of 64 or more hexadecimal digits by which the erased are known again; keep it for ever.",
    )
    origins: str = Field(default="*", description="Web origins whose pages may send, separated by commas; `*` is any.")
    reading_origins: str | None = Field(
        default=None,
        description="Web origins whose pages may ask with a key that names none, separated by commas; `*` is any.",
    )
    open_traits: str | None = Field(
        default=None, description="Traits, separated by commas, that are shown also to keys without `--pii`."
    )
    oidc_issuer: str | None = Field(
        default=None,
        pattern=WEB_ADDRESS,
        description="An OpenID provider whose tokens are believed, exactly as their `iss` names it (docs/access.md).",
    )
    oidc_audience: str | None = Field(default=None, description="What its tokens must be meant for: their `aud`.")
    oidc_jwks_url: str | None = Field(
        default=None, pattern=WEB_ADDRESS, description="Where its keys are; found by its description without it."
    )
    oidc_scopes: str = Field(
        default="scope,scp", description="The claims that name scopes, separated by commas; a dot leads into a claim."
    )
    oidc_accounts: str = Field(default="accounts", description="The claim that names accounts, as `namespace:value`.")
    user_id_secrets: SecretStr | None = Field(
        default=None,
        description="Secrets of 32 or more characters by which browsers' user ids are signed, separated by commas.",
    )
    webhooks: dict[str, WebhookSettings] = Field(
        default_factory=dict, description="What may be sent to `/webhooks/…`, as JSON or a table (docs/webhooks.md)."
    )
    kinds: dict[Word, list[str]] = Field(
        default_factory=dict,
        description="Names of interactions by the kinds they are of, as JSON or a table (docs/graphql.md).",
    )
    feed_days: int = Field(
        default=3, ge=1, le=90, description="How many days of what happened can be told to who comes late."
    )
    graphql_cost: int = Field(
        default=100_000, ge=1, description="How many fields one request to /graphql may answer (docs/http.md)."
    )
    subscriptions: int = Field(
        default=200, ge=1, description="How many subscriptions one key may have open in one process."
    )
    graphql_batch: int = Field(
        default=10, ge=1, le=100, description="How many operations one body to /graphql may list; 1 for no lists."
    )
    documents: Path | None = Field(
        default=None, description="A manifest of trusted documents, as Apollo's or Relay's compiler writes it."
    )
    documents_only: bool = Field(default=False, description="Whether nobody may ask anything but trusted documents.")
    introspection: Introspection = Field(
        default=Introspection.ALL,
        description="Who is told the schema: `all`, `privileged` (no key made with `--public`) or `off`.",
    )
    rate_questions: float = Field(
        default=500, ge=0, description="How many questions a second a key of scope `read` may ask; 0 for any number."
    )
    rate_cost: int = Field(
        default=10_000_000,
        ge=0,
        description="What questions of a key of scope `read` may cost a minute; 0 for anything.",
    )
    rate_ingest: float = Field(
        default=0, ge=0, description="How many requests a second may be sent with one key; 0 for any number."
    )
    rate_failures: int = Field(
        default=60,
        ge=0,
        description="How often a minute an address may come without a known key; 0 for any number.",
    )
    rate_burst_seconds: float = Field(
        default=2, gt=0, le=60, description="Of how many seconds at once whatever is counted by the second may come."
    )
    metrics_key: SecretStr | None = Field(
        default=None,
        description="Without it anybody who reaches the service reads `/metrics`; with it whoever shows it.",
    )
    log_requests: bool = Field(default=True, description="Whether each request is a line of the log.")
    slow_statement_ms: int = Field(
        default=1_000, ge=0, description="From how many ms on a statement is logged, with its plan; 0 for never."
    )
    hooks_private: bool = Field(
        default=False, description="Whether webhooks may be sent to addresses of this machine and its network."
    )
    graphiql: bool = Field(
        default=True, description="Whether `/graphiql` shows GraphiQL to browsers (docs/graphiql.md)."
    )
    log_level: LogLevel = Field(default=LogLevel.INFO, description="`debug`, `info`, `warning` or `error`.")
    log_format: LogFormat = Field(default=LogFormat.CONSOLE, description="`console` for people, `json` for machines.")

    @field_validator("erasure_key")
    @classmethod
    def _key_of_erasures(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not HEXADECIMAL.fullmatch(value.get_secret_value()):
            raise ValueError(f"an erasure key is {2 * LEAST_KEY_BYTES} or more hexadecimal digits, an even number")
        return value

    @field_validator("origins", "reading_origins")
    @classmethod
    def _origins(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            return ",".join(map(origin_of, _listed(value)))
        except InputInvalidError as error:
            raise ValueError(str(error)) from error

    @field_validator("user_id_secrets")
    @classmethod
    def _secrets_of_user_ids(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and any(len(each) < LEAST_SECRET for each in _listed(value.get_secret_value())):
            raise ValueError(f"a secret of user ids has {LEAST_SECRET} or more characters")
        return value

    @property
    def allowed_origins(self) -> Origins:
        """The origins of the web pages that may send."""
        return Origins(frozenset(_listed(self.origins)))

    @model_validator(mode="after")
    def _whole_provider(self) -> "Settings":
        if bool(self.oidc_issuer) != bool(self.oidc_audience):
            raise ValueError("SELFSAME_OIDC_ISSUER and SELFSAME_OIDC_AUDIENCE belong together: set both")
        return self

    @model_validator(mode="after")
    def _documents_to_trust(self) -> "Settings":
        if self.documents_only and self.documents is None:
            raise ValueError(
                "SELFSAME_DOCUMENTS_ONLY needs SELFSAME_DOCUMENTS: without a manifest nothing may be asked"
            )
        return self

    @property
    def provider(self) -> Provider | None:
        """Whose tokens are believed."""
        if self.oidc_issuer is None or self.oidc_audience is None:
            return None
        scopes = _listed(self.oidc_scopes)
        return Provider(self.oidc_issuer, self.oidc_audience, self.oidc_jwks_url, scopes, self.oidc_accounts)

    @property
    def readers(self) -> Origins:
        """The origins of the web pages that may ask with a key that names none."""
        return Origins(frozenset(_listed(self.reading_origins or "")))

    @property
    def traits_open(self) -> tuple[str, ...]:
        """The traits that are nobody's personal data."""
        return _listed(self.open_traits or "")

    @property
    def user_secrets(self) -> tuple[str, ...]:
        """What user ids may be signed with; the first is as good as the last."""
        return _listed(self.user_id_secrets.get_secret_value()) if self.user_id_secrets is not None else ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is the library's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is the library's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, whose keys arrive as arguments; nothing else is read."""
        return env_settings, init_settings


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def load_settings() -> Settings:
    """The settings of this process: SELFSAME_* variables first, then the file that SELFSAME_CONFIG names.

    Raises SettingsInvalidError, which names the variable or the file, the key and the reason.
    """
    path = os.environ.get(CONFIG)
    written = _written(Path(path)) if path else {}
    try:
        return Settings(**written)  # type: ignore[arg-type]  # the library checks each value against its field
    except SettingsError as error:
        sentence = (
            f"{PREFIX}WEBHOOKS and {PREFIX}KINDS, or a variable that begins with one, must be JSON: "
            "docs/webhooks.md and docs/graphql.md have examples"
        )
        raise SettingsInvalidError(sentence) from error
    except ValidationError as error:
        raise SettingsInvalidError("\n".join(_sentence(each, path) for each in error.errors())) from error


def unknown_variables() -> tuple[str, ...]:
    """SELFSAME_* names in the environment that mean nothing; often a slip of the pen."""
    commands = {CONFIG, CONSUME_SETTINGS, LOAD_SQL, "SELFSAME_REQUIRE_ALL"}
    known = {PREFIX + name.upper() for name in Settings.model_fields} | commands
    return tuple(
        sorted(
            name
            for name in os.environ
            if name.startswith(PREFIX) and name not in known and not name.startswith(f"{PREFIX}WEBHOOKS{NESTED}")
        )
    )


def policy_file(settings: Settings) -> Path:
    """The file of the configured policy: a preset by name, else the path that was set."""
    return policy_path(settings.policy)


def configured_policy(settings: Settings) -> Policy:
    """Read the configured policy: the one in force until a version is stored in the graph (selfsame/ruling.py).

    Raises SettingsInvalidError when there is no such file, PolicyInvalidError when it is none.
    """
    try:
        return policy_named(settings.policy)
    except InputInvalidError as error:
        raise SettingsInvalidError(f"SELFSAME_POLICY: {error}") from error


def kinds_from(settings: Settings) -> Named:
    """Of which kind interactions are by their names, as the settings say. Raises SettingsInvalidError."""
    try:
        return named_kinds(settings.kinds)
    except ValueError as error:
        raise SettingsInvalidError(f"SELFSAME_KINDS: {error}") from error


def _written(path: Path) -> Mapping[str, object]:
    """The file's keys, spelt like the variables or short and small: SELFSAME_PORT or port."""
    try:
        read = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsInvalidError(f"{CONFIG} names {path}, which cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalidError(f"{path} is not TOML: {error}") from error
    return {key.lower().removeprefix(PREFIX.lower()): value for key, value in read.items()}


def _sentence(error: ErrorDetails, path: str | None) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    variable = PREFIX + name.upper()
    inner = ".".join(str(each) for each in error["loc"])
    if path and not os.environ.get(variable):
        place = f"{path}: `{inner}`"
    else:
        place = variable if inner == name else f"{variable}: `{inner}`"
    if error["type"] == "extra_forbidden":
        return f"{place} is not a setting; the names are in docs/settings.md"
    return f"{place} cannot be used: {error['msg']}"
