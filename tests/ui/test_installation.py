"""An installation that cannot work says what is wrong in one line, without a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ui.session import memory

APP = Path(__file__).resolve().parents[2] / "app.py"


@pytest.fixture
def folder(tmp_path: Path, installation: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    memory.forget()
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("INTERPRET_CONFIG", str(tmp_path / "unitscope.toml"))
    (tmp_path / "unitscope.toml").write_text(f'[datasets]\nplanted = "{installation / "planted"}"\n')
    return tmp_path


def errors() -> list[str]:
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not app.exception
    return [error.value for error in app.error]


def test_a_sound_installation_has_no_error(folder: Path) -> None:
    assert not errors()


def test_an_unwritable_cache(folder: Path) -> None:
    (folder / "cache").write_text("a file where a folder should be")
    (message,) = errors()
    assert "cache" in message


def test_a_broken_configuration(folder: Path) -> None:
    (folder / "unitscope.toml").write_text("[datasets\n")
    (message,) = errors()
    assert "not valid TOML" in message
