"""Curves as a picture file, for papers and slides; pages draw their own (``panels``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ketacore.evidence import Refusal
from ketacore.pkpd import Matrix, Profile

FORMATS = (".png", ".svg")
COLOURS = ("#0b5f6b", "#b4532a", "#2a6f97", "#6b4e9b", "#5b6b2a", "#8a3b5c", "#3b4750")
DASHES = ("-", "--", ":", "-.")
"""With the colours they tell the curves apart, also in a print without any."""


SITE = {Matrix.ARTERIAL: "arterial", Matrix.VENOUS: "venous", Matrix.UNKNOWN: "site not stated"}


@dataclass(frozen=True, slots=True)
class Curve:
    """One analyte of one model: its name, hours (T,), and ng/mL (T,)."""

    name: str
    hours: Sequence[float]
    ng_per_ml: Sequence[float]


def curves_of(profiles: Sequence[Profile], analyte: str) -> list[Curve]:
    """Return the curve of ``analyte`` in every profile that has it, named after model and sampling site."""
    found = [(p, p.concentrations_ng_per_ml[analyte]) for p in profiles if analyte in p.concentrations_ng_per_ml]
    return [
        Curve(f"{p.model_id} ({SITE[p.matrix]})", (np.asarray(p.times_min) / 60).tolist(), values[0].tolist())
        for p, values in found
    ]


def check_file(path: Path) -> None:
    """Raise ``Refusal`` where a picture cannot be written: its format, its folder, or the library that draws it."""
    if find_spec("matplotlib") is None:
        because = "matplotlib, which draws it, is not installed"
        raise Refusal("Drawing", [because], "Install it into this environment: pip install 'ketaclinic[plots]'.")
    if path.suffix.lower() not in FORMATS:
        raise Refusal("Drawing", [f"{path.name} is neither .png nor .svg"], "Name a file that ends in .png or .svg.")
    if not path.parent.is_dir():
        raise Refusal("Drawing", [f"there is no folder {path.parent}"], "Make the folder first.")


def write_plot(path: Path, curves: Sequence[Curve], title: str, note: str) -> None:
    """Write concentrations over time as PNG or SVG; the same curves give the same bytes."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    check_file(path)
    with rc_context({"svg.hashsalt": "ketaclinic", "font.size": 10}):
        figure = Figure(figsize=(8, 4.5), layout=ConstrainedLayoutEngine(rect=(0, 0.04, 1, 0.96)))
        axes = figure.add_subplot()
        for number, curve in enumerate(curves):
            colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
            axes.plot(curve.hours, curve.ng_per_ml, color=colour, linestyle=dash, linewidth=1.8, label=curve.name)
        axes.set(title=title, xlabel="Hours", ylabel="ng/mL", xlim=(0, None), ylim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        figure.text(0.01, 0.005, note, fontsize=7, color="#3b4750")
        stamp = {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
        figure.savefig(path, dpi=144, metadata=stamp)
