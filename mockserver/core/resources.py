"""Where the files that travel with the package lie: the spec, the fixtures, the profiles, the JavaScript client."""

from __future__ import annotations

import shlex
from pathlib import Path

from mockserver.core.errors import Unusable
from mockserver.core.text import nearest

_PACKAGE = Path(__file__).resolve().parents[1]
_SUFFIXES = (".yaml", ".yml")


def openapi_path() -> Path:
    """The spec that is served and enforced by default."""
    return _travelling("openapi.yaml")


def fixtures_dir() -> Path:
    """The folder of the named fixtures."""
    return _travelling("fixtures")


def profiles_dir() -> Path:
    """The folder of the named profiles."""
    return fixtures_dir() / "profiles"


def javascript_files() -> dict[str, Path]:
    """The files of the JavaScript client as it is installed, by their names within it."""
    folder = _travelling("clients/javascript")
    files = [
        folder / "package.json",
        folder / "README.md",
        *(folder / "dist").rglob("*.js"),
        *(folder / "dist").rglob("*.d.ts"),
    ]
    return {file.relative_to(folder).as_posix(): file for file in sorted(files)}


def find(folder: Path, name_or_file: str, *, kind: str) -> Path:
    """The YAML file that a user means: one in `folder` by its bare name, or any by its path.

    Raises `Unusable`, calling the thing a `kind` and naming those that there are, if there is no such file.
    """
    given = Path(name_or_file)
    if given.suffix in _SUFFIXES or given.name != name_or_file:
        if given.is_file():
            return given
        raise Unusable(f"{name_or_file}: no such {kind} file")
    named = folder / f"{name_or_file}.yaml"
    if named.is_file():
        return named
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    close = nearest(name_or_file, known)
    hint = f"did you mean {close}? " if close else ""
    raise Unusable(f"no {kind} is called {name_or_file!r}: {hint}known are {', '.join(known)}, or give a path")


def by_path(file: Path) -> str:
    """That file as an argument of a shell by which `find` takes it for a file, whatever its name."""
    text = str(file)
    return shlex.quote(text if file.suffix in _SUFFIXES or file.name != text else f"./{text}")


def _travelling(name: str) -> Path:
    # The wheel carries them in mockserver/data (pyproject.toml, force-include); in a checkout, and so in an
    # editable install, they lie beside the package, where people edit them.
    packaged = _PACKAGE / "data" / name
    return packaged if packaged.exists() else _PACKAGE.parent / name
