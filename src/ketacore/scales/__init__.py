"""Rating scales: one folder per instrument with its items, scoring, bands, thresholds and licence, and one pure scorer.

To add an instrument, copy a folder, rename it, and change its ``scale.toml``: no code names a scale.
"""

from ketacore.scales.loading import ScaleDataError, load_scales, parse_scale, rules_of
from ketacore.scales.scale import (
    Band,
    ChangeThreshold,
    Item,
    Licence,
    Option,
    Remission,
    Scale,
    ShipMode,
    SuicideItem,
)
from ketacore.scales.scoring import Incomplete, Score, band_of, check_answers, score

SCALES = load_scales()
"""Every instrument, by its id: ``SCALES["phq9"]``."""

RULES = rules_of(SCALES.values())
"""The rule records inside the scale files."""

__all__ = [
    "RULES",
    "SCALES",
    "Band",
    "ChangeThreshold",
    "Incomplete",
    "Item",
    "Licence",
    "Option",
    "Remission",
    "Scale",
    "ScaleDataError",
    "Score",
    "ShipMode",
    "SuicideItem",
    "band_of",
    "check_answers",
    "load_scales",
    "parse_scale",
    "rules_of",
    "score",
]
