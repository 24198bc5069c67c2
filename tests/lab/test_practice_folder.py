"""Where a check's world lives while it runs."""

from __future__ import annotations

import tempfile

from baink_lab.lab.practice import folder as practice_folder
from baink_lab.lab.practice.folder import in_memory


def test_it_is_in_memory_where_there_is_room_and_gone_afterwards(monkeypatch, tmp_path):
    monkeypatch.setattr(practice_folder, "SHARED_MEMORY", tmp_path)
    with practice_folder.practice_folder() as folder:
        (folder / "tenant.db").touch()
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_it_is_in_the_usual_place_elsewhere(monkeypatch, tmp_path):
    assert in_memory(2**80) is None, "too little room"
    monkeypatch.setattr(practice_folder, "SHARED_MEMORY", tmp_path / "none")
    assert in_memory() is None
    with practice_folder.practice_folder() as folder:
        assert str(folder.parent) == tempfile.gettempdir()
