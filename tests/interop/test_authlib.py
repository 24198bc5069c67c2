"""Authlib, unmodified, over HTTPS."""


def test_authlib_logs_in_refreshes_and_revokes(peer):
    assert peer("sdk", "authlib_client.py") == {"ok": "authlib"}
