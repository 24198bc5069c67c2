"""What a person may set, and what is said when it cannot be used."""

from __future__ import annotations

import os

import pytest

from baink_lab.settings import DEFAULT_MODEL, TRANSFERS_AUDIENCE, SettingsError, World, load

LIVE = {
    "AUTH0_DOMAIN": "tenant.eu.auth0.com",
    "AUTH0_CLIENT_ID": "client",
    "AUTH0_CLIENT_SECRET": "client-s3cret",
}
READY = {
    "mode": "sandbox",
    "pid": 1,
    "tenant": "http://127.0.0.1:1",
    "issuer": "http://127.0.0.1:1/",
    "bank": "http://127.0.0.1:2",
    "model": "http://127.0.0.1:3/v1",
    "phone": "http://127.0.0.1:4/phone-s3cret",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-s3cret",
    "management_client_id": "sandbox-manager",
    "management_client_secret": "manager-s3cret",
    "user_id": "auth0|ana",
    "user_email": "ana@baink.example",
    "user_password": "ana-s3cret",
    "audience": TRANSFERS_AUDIENCE,
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder without .env, and an environment without settings."""
    for name in list(os.environ):
        if name.upper().startswith(("AUTH0_", "BAINK_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def given(here, monkeypatch):
    """Load the settings with these variables set."""

    def given(variables=(), **more):
        for name, value in (dict(variables) | more).items():
            monkeypatch.setenv(name, value)
        return load()

    return given


def test_nothing_set_is_the_sandbox(given):
    settings = given()
    assert settings.mode == "sandbox"
    assert not settings.model_is_live
    assert settings.baink_audience == TRANSFERS_AUDIENCE
    assert settings.openai_model == DEFAULT_MODEL
    assert not settings.baink_autopilot
    assert settings.notes == []


def test_a_domain_is_live_mode(given):
    settings = given(LIVE)
    assert settings.mode == "live"
    assert settings.auth0_domain == "tenant.eu.auth0.com"
    assert settings.notes == []


@pytest.mark.parametrize(
    "domain",
    [
        "https://tenant.eu.auth0.com",
        "https://tenant.eu.auth0.com/",
        "http://tenant.eu.auth0.com",
        "tenant.eu.auth0.com/",
        "tenant.eu.auth0.com/authorize",
        "Tenant.EU.auth0.com",
        "tenant.eu.auth0.com:443",
    ],
)
def test_a_domain_given_as_a_url_is_corrected_with_a_word(given, domain):
    settings = given(LIVE | {"AUTH0_DOMAIN": domain})
    assert settings.auth0_domain == "tenant.eu.auth0.com"
    (note,) = settings.notes
    assert repr(domain) in note
    assert "'tenant.eu.auth0.com'" in note


@pytest.mark.parametrize(
    "domain",
    [
        "tenant",
        "localhost",
        "your tenant.auth0.com",
        "https://",
        "https:///tenant.auth0.com",
        "me@tenant.auth0.com",
        "localhost:8443",
        "tenant.auth0.com:",
        "tenant.auth0.com:0",
        "tenant.auth0.com:65536",
        "tenant.auth0.com:https",
        "tenant.auth0.com:1:2",
        "-tenant.auth0.com",
        "tenant..auth0.com",
    ],
)
def test_what_is_no_domain_is_refused(given, domain):
    with pytest.raises(SettingsError, match=r"^AUTH0_DOMAIN cannot be used: .*domain alone") as no:
        given(LIVE | {"AUTH0_DOMAIN": domain})
    assert "\n" not in no.value.sentence


def test_what_stands_in_for_a_tenant_may_have_a_port(given):
    settings = given(LIVE | {"AUTH0_DOMAIN": "https://127.0.0.1:8443/"})
    assert settings.auth0_domain == "127.0.0.1:8443"
    assert settings.world(READY).issuer == "https://127.0.0.1:8443/"


@pytest.mark.parametrize("port", ["0", "65536", "eight"])
def test_the_port_of_the_login_is_checked(given, port):
    assert given().login_callback == "http://127.0.0.1:8484/callback"
    with pytest.raises(SettingsError, match="BAINK_LOGIN_PORT cannot be used"):
        given(BAINK_LOGIN_PORT=port)


@pytest.mark.parametrize("name", ["AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET"])
@pytest.mark.parametrize("blank", [True, False])
def test_live_mode_names_what_it_lacks(given, name, blank):
    variables = {key: value for key, value in LIVE.items() if key != name}
    with pytest.raises(SettingsError, match=f"so {name} must be set too") as lacks:
        given(variables | ({name: ""} if blank else {}))
    assert "unset AUTH0_DOMAIN" in lacks.value.sentence
    assert "s3cret" not in lacks.value.sentence


def test_live_mode_names_all_that_it_lacks(given):
    with pytest.raises(SettingsError, match="AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET"):
        given(AUTH0_DOMAIN="tenant.eu.auth0.com")


def test_blank_is_unset(given):
    names = ("AUTH0_DOMAIN", "BAINK_AUDIENCE", "BAINK_HOME", "BAINK_AUTOPILOT", "OPENAI_API_KEY")
    settings = given(dict.fromkeys((*names, "OPENAI_BASE_URL", "OPENAI_MODEL"), ""))
    assert settings.mode == "sandbox"
    assert settings.baink_audience == TRANSFERS_AUDIENCE
    assert settings.baink_home.name == ".baink"
    assert settings.openai_model == DEFAULT_MODEL
    assert not settings.model_is_live


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BAINK_AUDIENCE", "transfers"),
        ("OPENAI_BASE_URL", "localhost:11434/v1"),
        ("OPENAI_BASE_URL", "file:///etc/passwd"),
        ("BAINK_AUTOPILOT", "perhaps"),
    ],
)
def test_a_value_that_cannot_be_used_is_one_sentence_with_its_name(given, name, value):
    with pytest.raises(SettingsError, match=f"^{name} cannot be used: ") as wrong:
        given({name: value})
    assert wrong.value.code == "settings"
    assert "\n" not in wrong.value.sentence


def test_a_home_that_is_a_file_is_refused(given, here):
    (here / "file").write_text("")
    with pytest.raises(SettingsError, match="BAINK_HOME cannot be used: give a folder"):
        given(BAINK_HOME=str(here / "file"))


def test_a_home_is_made_absolute(given, here, monkeypatch):
    assert given(BAINK_HOME="lab").baink_home == here / "lab"
    monkeypatch.setenv("HOME", str(here))
    assert given(BAINK_HOME="~/mine").baink_home == here / "mine"


# Each half can be live alone.


def test_in_the_sandbox_the_world_is_the_ready_line(given):
    assert given().world(READY) == World.from_ready(READY)


def test_a_real_model_beside_the_sandbox_tenant(given):
    settings = given(OPENAI_API_KEY="sk-s3cret")
    assert settings.mode == "sandbox"
    assert settings.model_is_live
    world = settings.world(READY)
    assert world.model == "https://api.openai.com/v1"
    assert (world.issuer, world.phone) == (READY["issuer"], READY["phone"])


def test_a_model_of_ones_own_needs_no_key(given):
    settings = given(OPENAI_BASE_URL="http://localhost:11434/v1/")
    assert settings.model_is_live
    assert settings.world(READY).model == "http://localhost:11434/v1"


def test_a_real_tenant_beside_the_scripted_model(given):
    settings = given(LIVE | {"AUTH0_USER_ID": "auth0|me", "AUTH0_MGMT_CLIENT_ID": "m"})
    assert not settings.model_is_live
    world = settings.world(READY)
    assert world.model == READY["model"]
    assert world.bank == READY["bank"]
    assert world.tenant == "https://tenant.eu.auth0.com"
    assert world.issuer == "https://tenant.eu.auth0.com/"
    assert (world.client_id, world.client_secret) == ("client", "client-s3cret")
    assert (world.user_id, world.management_client_id) == ("auth0|me", "m")
    assert world.phone is None
    assert not world.user_password, "the demo customer's password is for the sandbox only"
    assert not world.management_client_secret, "and so is its Management client"


# Secrets


def test_no_secret_is_in_a_repr(given):
    settings = given(LIVE, OPENAI_API_KEY="key-s3cret", AUTH0_MGMT_CLIENT_SECRET="mgmt-s3cret")
    shown = [settings, str(settings), settings.model_dump(), settings.world(READY)]
    assert "s3cret" not in repr(shown)
    assert "s3cret" not in repr(World.from_ready(READY))


# .env


def test_a_dot_env_beside_us_is_read(here, given):
    (here / ".env").write_text(
        "# mine\n"
        "AUTH0_DOMAIN='tenant.eu.auth0.com'\n"
        "AUTH0_CLIENT_ID=client\n"
        'export AUTH0_CLIENT_SECRET="client-s3cret"\n'
        "OPENAI_MODEL=\n"
        "SOMETHING_ELSE=1\n"
    )
    settings = given()
    assert settings.mode == "live"
    assert settings.auth0_client_secret.get_secret_value() == "client-s3cret"
    assert settings.openai_model == DEFAULT_MODEL


def test_the_environment_wins_over_dot_env(here, given):
    (here / ".env").write_text("OPENAI_MODEL=from-file\n")
    assert given().openai_model == "from-file"
    assert given(OPENAI_MODEL="from-environment").openai_model == "from-environment"


def test_a_wrong_line_of_dot_env_is_one_sentence(here, given):
    (here / ".env").write_text("AUTH0_DOMAIN=not a domain\n")
    with pytest.raises(SettingsError, match="AUTH0_DOMAIN cannot be used"):
        given()


def test_a_domain_corrected_in_dot_env_is_told_too(here, given):
    lines = LIVE | {"AUTH0_DOMAIN": "https://tenant.eu.auth0.com/"}
    (here / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    (note,) = given().notes
    assert "https://tenant.eu.auth0.com/" in note
