"""Who may know whom: the table of DESIGN.md, held against the imports."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = ROOT / "rust" / "core" / "src"
PACKAGE = ROOT / "python" / "spanmap"

# The rooms at both ends know few others. All rooms between them may know each other, but neither end.
MAY_USE = {
    "error": set[str](),
    "limits": set[str](),
    "keys": set[str](),
    "output": set[str](),
    "time": {"output"},
    "wire": {"error", "limits", "json"},
    "json": {"output", "wire", "wire::json"},
    "span": {"wire", "keys", "error"},
    "event": {"wire", "keys"},
    "sink": {"event", "json", "output", "time", "wire"},
}
THE_ENDS = {"sink", "wire::proto", "wire::json"}
# The two modes share what lies below them, and nothing else.
NEVER = {"dialect": {"posthog"}, "posthog": {"dialect"}}

PYTHON_MAY_USE = {
    "__init__": {
        "spanmap._core",
        "spanmap.errors",
        "spanmap.explanation",
        "spanmap.limits",
        "spanmap.options",
        "spanmap.samples",
        "spanmap.user_rules",
    },
    "errors": set[str](),
    # It names the types that the extension gives it, and runs none of its code.
    "explanation": {"spanmap._core", "spanmap.errors"},
    "limits": set[str](),
    # It names `spanmap.Limits`, which is loaded when somebody asks for it.
    "options": {"spanmap", "spanmap.user_rules"},
    "user_rules": set[str](),
    "samples": set[str](),
    "reference": {"spanmap.errors", "spanmap.reference"},
    # A measurement needs what it measures; nothing else may know the reference beside the core.
    "bench": {"spanmap", "spanmap.bench"},
    "client": {"spanmap.client", "spanmap.errors"},
    "otel": {"spanmap", "spanmap.client", "spanmap.errors", "spanmap.otel"},
    "cli": {"spanmap", "spanmap.bench", "spanmap.client", "spanmap.samples", "spanmap.cli"},
}


def rust_rooms() -> dict[str, set[str]]:
    """The rooms that the code of each room names, tests and comments aside."""
    used: dict[str, set[str]] = {}
    for file in CORE.rglob("*.rs"):
        room = file.relative_to(CORE).parts[0].removesuffix(".rs")
        code = re.sub(r"//.*", "", file.read_text(encoding="utf-8")).partition("#[cfg(test)]")[0]
        assert "crate::{" not in code, f"{file.name}: write one `use crate::room` for each room"
        names = used.setdefault(room, set())
        names.update(re.findall(r"\bcrate::([a-z_]+)", code))
        names.update(f"wire::{end}" for end in re.findall(r"\bcrate::wire::\{?[^;}]*?\b(proto|json)\b", code))
    del used["lib"]  # The one place that sees both ends.
    return used


def python_imports(file: Path) -> set[str]:
    imports: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imports.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = file.relative_to(PACKAGE.parent).parts[: -node.level] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            imports.update(f"{module}.{alias.name}" if is_room(module, alias.name) else module for alias in node.names)
    return {name for name in imports if name.partition(".")[0] == "spanmap"}


def is_room(module: str, name: str) -> bool:
    return module == "spanmap" and ((PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").exists())


def test_rust_rooms_know_only_whom_they_may() -> None:
    rooms = rust_rooms()
    assert rooms.keys() >= MAY_USE.keys() | NEVER.keys()
    for room, used in rooms.items():
        forbidden = used - MAY_USE[room] if room in MAY_USE else used & (THE_ENDS | NEVER.get(room, set()))
        assert forbidden - {room, f"{room}::json", f"{room}::proto"} == set(), f"{room} may not use {forbidden}"


@pytest.mark.parametrize("room", PYTHON_MAY_USE)
def test_python_rooms_know_only_whom_they_may(room: str) -> None:
    files = [PACKAGE / f"{room}.py", *(PACKAGE / room).rglob("*.py")]
    files = [file for file in files if file.exists()]
    assert files
    for file in files:
        for name in python_imports(file):
            allowed = any(f"{name}.".startswith(f"{other}.") for other in PYTHON_MAY_USE[room] - {"spanmap"})
            assert allowed or name in PYTHON_MAY_USE[room], f"{file.relative_to(ROOT)} may not import {name}"


def test_only_one_file_may_hold_unsafe_code() -> None:
    assert 'unsafe_code = "forbid"' in (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    core, binding = (ROOT / "rust" / crate for crate in ("core", "python"))
    assert "[lints]\nworkspace = true" in (core / "Cargo.toml").read_text(encoding="utf-8")
    assert '[lints.rust]\nunsafe_code = "deny"' in (binding / "Cargo.toml").read_text(encoding="utf-8")
    code = {file.name: file.read_text(encoding="utf-8") for file in (binding / "src").rglob("*.rs")}
    assert [name for name, text in code.items() if "unsafe" in text] == ["memory.rs"]
    assert code["memory.rs"].count("unsafe {") + code["memory.rs"].count("unsafe impl") == code["memory.rs"].count(
        "// SAFETY:"
    )


def test_modules_stay_small_enough_to_read() -> None:
    files = [*CORE.rglob("*.rs"), *(ROOT / "rust" / "python" / "src").rglob("*.rs"), *PACKAGE.rglob("*.py")]
    too_long = {file.name: lines for file in files if (lines := len(file.read_text("utf-8").splitlines())) > 600}
    # The table of all keys is data.
    assert too_long.keys() <= {"keys.rs"}
