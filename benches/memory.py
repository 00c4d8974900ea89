"""Peak memory of JSON mode: how far the process grows while it maps, against the size of what goes in and comes out.

Each measurement is a process of its own. The kernel's high-water mark is set back right before the call
(`/proc/self/clear_refs`), so imports do not count; the body is counted although the caller holds it. Linux only.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import spanmap

EXPORTS = ("500-mixed", "100-chat")
# Requests can be joined by joining their bytes. The joined ones show what grows with the body and what does not.
COPIES = (1, 8)


def resident_bytes(field: str) -> int:
    """`VmRSS` or its high-water mark `VmHWM`."""
    match = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match is not None
    return int(match[1]) * 1024


def measure(name: str, copies: int) -> dict[str, object]:
    body = Path(__file__).parent.parent.joinpath(f"tests/corpus/bench-2.4b0-{name}/001.pb").read_bytes() * copies
    mapper = spanmap.Mapper(compat="posthog")
    mapper.map_traces_json(b'{"resourceSpans": []}')
    Path("/proc/self/clear_refs").write_text("5")
    before = resident_bytes("VmRSS")
    output = mapper.map_traces_json(body)
    growth = resident_bytes("VmHWM") - before
    return {"export": f"{name} x {copies}", "body": len(body), "output": len(output), "growth": growth}


def main() -> None:
    if sys.argv[1:]:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
        return
    for name in EXPORTS:
        for copies in COPIES:
            subprocess.run([sys.executable, __file__, name, str(copies)], check=True)  # noqa: S603 - this file, with this interpreter


if __name__ == "__main__":
    main()
