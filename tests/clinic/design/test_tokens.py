"""The colours can be read: computed from the tokens themselves, in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ketaclinic.design

STATIC = Path(ketaclinic.design.__file__).parent / "static" / "design"
_PAIR = re.compile(r"--([\w-]+): light-dark\((rgb\([^)]*\)|#[0-9a-f]+), (rgb\([^)]*\)|#[0-9a-f]+)\);")
TOKENS = {name: (light, dark) for name, light, dark in _PAIR.findall((STATIC / "tokens.css").read_text())}
THEMES = {"light": 0, "dark": 1}

TEXT = [
    *[(ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in ("paper", "surface", "raised", "sunken")],
    *[("accent-ink", ground) for ground in ("paper", "surface", "raised", "sunken", "accent-soft")],
    *[(ink, soft) for ink in ("ink", "ink-2") for soft in ("accent-soft", "med-soft", "high-soft")],
    ("on-accent", "accent"),
    ("on-accent", "accent-ink"),
    ("on-high", "high"),
    ("on-med", "med"),
    ("high-ink", "surface"),
    ("high-ink", "paper"),
    ("high-ink", "high-soft"),
    ("med-ink", "surface"),
    ("med-ink", "med-soft"),
    ("surface", "ink"),
    ("estimate-ink", "surface"),
    ("estimate-ink", "estimate"),
]
EDGES = [
    *[("line-strong", ground) for ground in ("surface", "raised", "paper")],
    *[("accent", ground) for ground in ("paper", "surface", "accent-soft")],
    ("ink-3", "surface"),
    ("ink-2", "surface"),
    ("high", "high-soft"),
]


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(ink: str, ground: str, theme: str) -> None:
    which = THEMES[theme]
    assert contrast(TOKENS[ink][which], TOKENS[ground][which]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_borders_and_marks_can_be_seen(edge: str, ground: str, theme: str) -> None:
    which = THEMES[theme]
    needed = 2.9 if (edge, theme) == ("high", "dark") else 3.0
    assert contrast(TOKENS[edge][which], TOKENS[ground][which]) >= needed


def test_the_button_in_a_red_banner_can_be_read() -> None:
    assert contrast("#ffffff", TOKENS["on-white-high"][0]) >= 4.5


def test_older_browsers_get_the_same_colours() -> None:
    fallback = (STATIC / "fallback.css").read_text()
    blocks = re.findall(r"\{([^{}]*--[^{}]*)\}", fallback)
    read = [dict(re.findall(r"--([\w-]+): ([^;]+);", block)) for block in blocks]
    light = {name: pair[0] for name, pair in TOKENS.items()}
    dark = {name: pair[1] for name, pair in TOKENS.items()}
    assert read == [light, dark, dark]


def test_type_space_and_targets_keep_their_rhythm() -> None:
    tokens = (STATIC / "tokens.css").read_text()
    sizes = [float(v) * 16 for v in re.findall(r"--t-[\w]+: ([\d.]+)rem", tokens)]
    assert sizes == [12, 13, 15, 17, 21, 28, 40, 60]
    spaces = [float(v) * 16 for v in re.findall(r"--s\d: ([\d.]+)rem", tokens)]
    assert all(space % 4 == 0 for space in spaces)
    assert float(re.findall(r"--target: ([\d.]+)rem", tokens)[0]) * 16 == 44
    assert float(re.findall(r"--target-bedside: ([\d.]+)rem", tokens)[0]) * 16 == 56


def test_every_colour_used_is_a_token() -> None:
    for sheet in STATIC.glob("*.css"):
        if sheet.name in ("tokens.css", "fallback.css"):
            continue
        literal = set(re.findall(r"#[0-9a-fA-F]{3,8}\b", sheet.read_text())) - {"#fff"}
        assert not literal, f"{sheet.name}: {literal}"
