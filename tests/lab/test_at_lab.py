"""`baink-lab sandbox --at-lab N` serves a tenant that is where lab N starts."""

from __future__ import annotations

import pytest

from baink_lab.errors import BainkError
from baink_lab.lab import open_lab
from baink_lab.lab.at_lab import prepare
from baink_lab.lab.opening import _opened
from baink_lab.sandbox import launch
from baink_lab.settings import load

pytestmark = pytest.mark.timeout(90)


async def test_prepared_offline_and_then_served(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BAINK_HOME", str(tmp_path / "home"))
    settings = load()
    (told,) = await prepare(settings, 3)
    assert "the customer's enrolled phone" in told
    assert await prepare(settings, 3) == []
    assert len(await prepare(settings, 4)) == 1
    await prepare(settings, 3)
    await launch.ensure(settings.baink_home, settings=settings, relaxed=True)
    lab = await open_lab(3)
    try:
        assert capsys.readouterr().out.startswith("Lab 03 is open"), "nothing was left to do"
        view = await lab.tenant()
        assert (view.has_access, view.factor, view.devices) == (True, False, [])
        with pytest.raises(BainkError, match="already runs"):
            await prepare(settings, 2)
    finally:
        await lab.close()
        _opened.clear()
        await launch.stop(settings.baink_home)


async def test_live_mode_is_refused(monkeypatch):
    settings = load()
    monkeypatch.setattr(type(settings), "mode", "live")
    with pytest.raises(BainkError, match="--at-lab prepares the sandbox"):
        await prepare(settings, 2)
