"""The command line: `spanmap map FILES...`. It needs the packages of the extra `spanmap[cli]`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line, or says what to install for it."""
    try:
        from spanmap.cli.commands import spanmap  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        if missing.name not in {"click", "rich", "backports", "backports.zstd", "urllib3"}:
            raise
        sys.exit(f"spanmap's command line needs the package {missing.name}: pip install 'spanmap[cli]'")
    spanmap()
