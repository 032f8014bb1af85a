"""Drawing for server-made pictures: shapes with attributes only, so no style ever stands in a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

Number = int | float


@dataclass(frozen=True, slots=True)
class Shape:
    """One SVG element: its tag, class, attributes, and its text if it is text."""

    tag: str
    css: str
    attributes: tuple[tuple[str, str], ...] = ()
    text: str = ""

    def svg(self) -> SafeString:
        """Return the element; everything in it is escaped."""
        drawn = format_html_join("", ' {}="{}"', self.attributes)
        css = format_html(' class="{}"', self.css) if self.css else ""
        tag = mark_safe(self.tag)
        if self.tag == "text":
            return format_html("<text{}{}>{}</text>", css, drawn, self.text)
        return format_html("<{}{}{}/>", tag, css, drawn)


def n(value: Number) -> str:
    """Return a coordinate with one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")


def path(css: str, d: str) -> Shape:
    """Return a path."""
    return Shape("path", css, (("d", d),))


def horizontal(css: str, x1: Number, x2: Number, y: Number) -> Shape:
    """Return a line from left to right."""
    return path(css, f"M{n(x1)} {n(y)}H{n(x2)}")


def vertical(css: str, x: Number, y1: Number, y2: Number) -> Shape:
    """Return a line from top to bottom."""
    return path(css, f"M{n(x)} {n(y1)}V{n(y2)}")


def polyline(css: str, points: Iterable[tuple[Number, Number]]) -> Shape:
    """Return one line through the points."""
    return path(css, "M" + "L".join(f"{n(x)} {n(y)}" for x, y in points))


def circle(css: str, x: Number, y: Number, r: Number) -> Shape:
    """Return a circle."""
    return Shape("circle", css, (("cx", n(x)), ("cy", n(y)), ("r", n(r))))


def rect(css: str, x: Number, y: Number, width: Number, height: Number, rx: Number = 0) -> Shape:
    """Return a rectangle, rounded by ``rx``."""
    sizes = (("x", n(x)), ("y", n(y)), ("width", n(width)), ("height", n(height)))
    return Shape("rect", css, (*sizes, ("rx", n(rx))) if rx else sizes)


def text(css: str, x: Number, y: Number, words: str) -> Shape:
    """Return words at a place; ``mid`` and ``end`` in ``css`` anchor them."""
    return Shape("text", css, (("x", n(x)), ("y", n(y))), words)


def drawing(shapes: Iterable[Shape]) -> SafeString:
    """Return all shapes from back to front."""
    return mark_safe("".join(shape.svg() for shape in shapes))
