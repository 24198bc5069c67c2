"""What a person may set: one object, sandbox by default, live when AUTH0_DOMAIN is there."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from baink_lab.errors import BainkError, InOneSentence

TRANSFERS_AUDIENCE = "https://localhost:3000/api/accounts/transfers"
TRANSFER_SCOPE = "create:transfer"
READ_SCOPE = "read:accounts"
STATEMENT_SCOPE = "read:statements"
DISPUTE_SCOPE = "create:dispute"
DEFAULT_MODEL = "gpt-4o-mini"

LOGIN_PORT = 8484

_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+", re.I)
# A tenant has no port; what stands in for one (a test's own tenant, a relay) may have.
_PORT = re.compile(r"[1-9][0-9]{0,4}")


class SettingsError(InOneSentence, BainkError):
    """An environment variable or a line of .env cannot be used; the sentence names it."""

    code = "settings"


@dataclasses.dataclass(frozen=True)
class World:
    """Where every service is and who we are there: the sandbox's ready line, or live settings.

    URLs have no trailing slash, except `issuer`, which always has one. Secrets are left out of
    `repr`. `phone` is None in live mode, where the phone is a real one.
    """

    tenant: str
    issuer: str
    bank: str
    model: str
    client_id: str
    user_id: str
    audience: str
    client_secret: str = dataclasses.field(repr=False)
    management_client_id: str = ""
    management_client_secret: str = dataclasses.field(default="", repr=False)
    phone: str | None = dataclasses.field(default=None, repr=False)
    user_email: str = ""
    user_password: str = dataclasses.field(default="", repr=False)

    @classmethod
    def from_ready(cls, ready: dict[str, Any]) -> World:
        """Read the sandbox's ready line; fields that we do not know are left alone."""
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in ready.items() if name in known})


def default_home() -> Path:
    """`.baink/` beside the notebooks: at the root of a checkout, else where we are."""
    root = Path(__file__).resolve().parents[1]
    return (root if (root / "notebooks").is_dir() else Path.cwd()) / ".baink"


class Settings(BaseSettings):
    """The environment and `.env`, checked. See DESIGN.md, Modes.

    Raises:
        SettingsError: from `load`, with one sentence that names the variable and the fix.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    auth0_domain: str | None = None
    domain_as_given: str | None = Field(default=None, repr=False)  # filled in below, not set
    auth0_client_id: str = ""
    auth0_client_secret: SecretStr = SecretStr("")
    auth0_mgmt_client_id: str = ""
    auth0_mgmt_client_secret: SecretStr = SecretStr("")
    auth0_user_id: str = ""
    baink_audience: str = TRANSFERS_AUDIENCE
    baink_home: Path = Field(default_factory=default_home)
    baink_autopilot: bool = False
    baink_login_port: int = Field(default=LOGIN_PORT, ge=1, le=65535)
    baink_yes: bool = False
    baink_vault_key: SecretStr = SecretStr("")
    openai_api_key: SecretStr = SecretStr("")
    openai_base_url: str = ""
    openai_model: str = DEFAULT_MODEL

    @property
    def mode(self) -> Literal["sandbox", "live"]:
        """`live` when a tenant is named, else `sandbox`."""
        return "live" if self.auth0_domain else "sandbox"

    @property
    def login_callback(self) -> str:
        """Where a login ends: among the application's Allowed Callback URLs, to the letter."""
        return f"http://127.0.0.1:{self.baink_login_port}/callback"

    @property
    def vault_keys(self) -> list[str]:
        """The vault's keys, separated by commas: the first seals, all of them open."""
        return [one.strip() for one in self.baink_vault_key.get_secret_value().split(",") if one]

    @property
    def model_is_live(self) -> bool:
        """True when the model is a real one: a key or a base URL is set."""
        return bool(self.openai_base_url or self.openai_api_key.get_secret_value())

    @property
    def notes(self) -> list[str]:
        """One sentence for each setting that was corrected on the way in."""
        given = self.domain_as_given
        if given and self.auth0_domain and given.strip() != self.auth0_domain:
            return [f"AUTH0_DOMAIN was given as {given!r}; I use {self.auth0_domain!r}."]
        return []

    def world(self, ready: dict[str, Any]) -> World:
        """The services to use: the sandbox's, with each live half put in its place.

        Args:
            ready: the sandbox's ready line; in live mode its bank is still the one used.
        """
        world = World.from_ready(ready)
        if self.model_is_live:
            model = self.openai_base_url or "https://api.openai.com/v1"
            world = dataclasses.replace(world, model=model.rstrip("/"))
        if self.mode == "sandbox":
            return world
        tenant = f"https://{self.auth0_domain}"
        return dataclasses.replace(
            world,
            tenant=tenant,
            issuer=f"{tenant}/",
            client_id=self.auth0_client_id,
            client_secret=self.auth0_client_secret.get_secret_value(),
            management_client_id=self.auth0_mgmt_client_id,
            management_client_secret=self.auth0_mgmt_client_secret.get_secret_value(),
            user_id=self.auth0_user_id,
            audience=self.baink_audience,
            phone=None,
            user_email="",
            user_password="",
        )

    @model_validator(mode="before")
    @classmethod
    def _keep_what_was_given(cls, values: dict[str, Any]) -> dict[str, Any]:
        return values | {"domain_as_given": values.get("auth0_domain")}

    @field_validator("auth0_domain")
    @classmethod
    def _bare_domain(cls, value: str | None) -> str | None:
        if value is None:
            return None
        text = value.strip()
        place = urlsplit(text if "//" in text else f"//{text}").netloc
        host, colon, port = place.partition(":")
        usable = not colon or (_PORT.fullmatch(port) and int(port) <= 65535)
        if not (_DOMAIN.fullmatch(host) and usable):
            raise ValueError("give the tenant's domain alone, like your-tenant.eu.auth0.com")
        return (host if port in ("", "443") else place).lower()

    @field_validator("baink_audience", "openai_base_url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.netloc):
            raise ValueError("give a whole URL, like https://localhost:3000/api/…")
        return value

    @field_validator("baink_home")
    @classmethod
    def _folder(cls, value: Path) -> Path:
        path = value.expanduser().resolve()
        if path.exists() and not path.is_dir():
            raise ValueError("give a folder; a file of that name is there")
        return path


def load() -> Settings:
    """Read the settings, and complain in one sentence.

    Raises:
        SettingsError: a value cannot be used, or live mode lacks one of its values.
    """
    try:
        settings = Settings()
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = str(first["loc"][0]).upper()
        hint = str(first["msg"]).removeprefix("Value error, ")
        raise SettingsError(f"{name} cannot be used: {hint}.") from None
    missing = _missing_live(settings) if settings.mode == "live" else []
    if missing:
        raise SettingsError(
            f"AUTH0_DOMAIN is set, so {' and '.join(missing)} must be set too "
            "(or unset AUTH0_DOMAIN to use the sandbox)."
        )
    return settings


def _missing_live(settings: Settings) -> list[str]:
    needed = {
        "AUTH0_CLIENT_ID": settings.auth0_client_id,
        "AUTH0_CLIENT_SECRET": settings.auth0_client_secret.get_secret_value(),
    }
    return [name for name, value in needed.items() if not value]
