"""The points of the audit log as they were kept outside the database."""

from __future__ import annotations

from pathlib import Path

from ketaclinic.audit.anchor import Point, points_in, still_holding
from ketacore.evidence import Refusal


def points_outside(place: Path) -> list[Point]:
    """Return what an anchor file, or all files of an anchor folder, say of the log and no later restore took back."""
    try:
        files = sorted(file for file in place.iterdir() if file.is_file()) if place.is_dir() else [place]
        told = [points_in(file.read_text("ascii", "replace")) for file in files]
    except OSError:
        raise Refusal("Restoring", ["the anchor cannot be read"], "Name the folder of the audit anchor.") from None
    found = [point for points in told for point in still_holding(points)]
    if not found:
        raise Refusal("Restoring", ["the anchor holds no line of an audit log"], "Name the folder of the audit anchor.")
    return found
