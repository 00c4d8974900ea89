"""Measures mapping on exports of one's own: `spanmap bench FILE...` on the command line, `measure` in Python."""

from __future__ import annotations

from spanmap.bench.measure import Load, Report, Timing, measure

__all__ = ["Load", "Report", "Timing", "measure"]
