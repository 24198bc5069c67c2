"""The official auth0-python 6, unmodified, over HTTPS."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "what",
    [
        *("apis", "refused_twice_is_the_same", "clients", "users"),
        *("guardian", "enrolment", "logs", "signing_keys"),
    ],
)
def test_the_management_client_does_what_the_labs_do(peer, what):
    assert peer("sdk", "management.py", what) == {"ok": what}


@pytest.mark.parametrize("what", ["approved", "denied", "refusals", "secret_forms", "hasty"])
def test_the_backchannel_login_works(peer, what):
    assert peer("sdk", "backchannel.py", what) == {"ok": what}
