"""How tests load a fixture that they write themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mockserver.state.fixtures.load import load_fixture


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def load(text: str, **options: Any) -> Any:
        path = tmp_path / "world.yaml"
        path.write_text(text, encoding="utf-8")
        return load_fixture(str(path), **options)

    return load
