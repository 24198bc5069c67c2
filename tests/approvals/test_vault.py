"""The vault keeps secrets sealed, under their own name, for their own time."""

import stat

import pytest
from cryptography.fernet import Fernet
from langgraph.store.memory import InMemoryStore

from baink_lab.approvals import Vault, VaultError, key_from_file
from baink_lab.clock import VirtualClock


@pytest.fixture
def store():
    return InMemoryStore()


async def test_what_is_put_can_be_got_and_the_store_sees_only_ciphertext(store):
    clock = VirtualClock()
    vault = Vault(store, [Fernet.generate_key()], clock=clock)
    await vault.put("one", {"token": "very secret"}, expires_at=clock.now() + 10)
    assert await vault.get("one") == {"token": "very secret"}
    assert "very secret" not in str([item.value for item in store.search(("vault",))])


async def test_an_entry_lapses_and_is_swept(store):
    clock = VirtualClock()
    vault = Vault(store, [Fernet.generate_key()], clock=clock)
    await vault.put("one", {"token": "x"}, expires_at=clock.now() + 10)
    clock.advance(10)
    assert await vault.get("one") is None
    assert await vault.sweep() == 1
    assert store.search(("vault",)) == []


async def test_a_new_key_in_front_still_opens_what_the_old_one_sealed(store):
    clock, old, new = VirtualClock(), Fernet.generate_key(), Fernet.generate_key()
    await Vault(store, [old], clock=clock).put("one", {"a": 1}, expires_at=clock.now() + 10)
    assert await Vault(store, [new, old], clock=clock).get("one") == {"a": 1}
    with pytest.raises(VaultError, match="not sealed with its key"):
        await Vault(store, [new], clock=clock).get("one")


async def test_an_entry_copied_over_another_name_is_refused(store):
    clock = VirtualClock()
    vault = Vault(store, [Fernet.generate_key()], clock=clock)
    await vault.put("one", {"a": 1}, expires_at=clock.now() + 10)
    store.put(("vault",), "two", store.get(("vault",), "one").value)
    with pytest.raises(VaultError, match="another name"):
        await vault.get("two")


def test_a_key_file_is_made_for_its_owner_only_and_read_again(tmp_path):
    path = tmp_path / "vault.key"
    key = key_from_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_from_file(path) == key
    path.chmod(0o644)
    with pytest.raises(VaultError, match="chmod 600"):
        key_from_file(path)


def test_a_process_that_dies_while_it_makes_a_key_leaves_none(tmp_path, monkeypatch):
    """The fault campaign found half a key: a file that was made and not yet written."""

    def die(descriptor):
        raise KeyboardInterrupt

    path = tmp_path / "vault.key"
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", die)
        with pytest.raises(KeyboardInterrupt):
            key_from_file(path)
    assert not path.exists()
    assert len(key_from_file(path)) == 44


@pytest.mark.parametrize("keys", [[], ["short"]])
def test_a_malformed_key_is_named(store, keys):
    with pytest.raises(VaultError, match="key"):
        Vault(store, keys)
