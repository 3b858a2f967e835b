"""The command `client`: writes out the clients of the control interface that are not Python."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mockserver.core.errors import Unusable
from mockserver.core.resources import javascript_files


@click.group(short_help="Write out a client of the control interface.")
def client() -> None:
    """Write out a client of the control interface for another language."""


@client.command()
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def javascript(directory: Path) -> None:
    """Write the JavaScript package, with its types, into DIR: `npm install --save-dev ./DIR` then installs it.

    DIR is to be within the project that uses it, whose Playwright or Vitest it finds from there.

    Files of an earlier version are replaced; a folder that holds anything else is refused.
    """
    files = javascript_files()
    if directory.exists() and any(directory.iterdir()) and not (directory / "dist" / "index.js").is_file():
        raise Unusable(f"{directory} holds something else than this package: name a folder that is empty or new")
    for name, file in files.items():
        target = directory / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_of_package(file) if name == "package.json" else file.read_bytes())
        except OSError as error:
            raise Unusable(f"{target} can't be written: {error.strerror}") from error
    click.echo(f"{len(files)} files are in {directory}: npm install --save-dev {_installable(directory)}")


def _of_package(file: Path) -> bytes:
    """`package.json` without what only those need who change the package: npm would install it for everybody."""
    package = json.loads(file.read_text("utf-8"))
    for name in ("devDependencies", "scripts"):
        del package[name]
    return f"{json.dumps(package, indent=2)}\n".encode()


def _installable(directory: Path) -> str:
    """The folder as npm takes it for a folder, not for the name of a package."""
    text = directory.as_posix()
    return text if text.startswith(("/", "./", "../")) else f"./{text}"
