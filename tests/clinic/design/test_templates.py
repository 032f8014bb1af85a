"""No template asks anything of another origin, and none needs an inline style or script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ketaclinic

ROOT = Path(ketaclinic.__file__).parent
TEMPLATES = sorted(ROOT.rglob("templates/**/*.html"))
STATIC = sorted(p for p in ROOT.rglob("static/**/*") if p.suffix in (".css", ".js", ".svg"))


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=_named)
def test_templates_obey_the_content_security_policy(path: Path) -> None:
    page = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    assert not re.search(r"<[^>]*\sstyle\s*=", page), "style attribute"
    assert "<style" not in page, "style element"
    assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>", page), "inline script"
    assert not re.search(r"<[^>]*\son\w+\s*=", page), "event handler attribute"
    assert "hx-on" not in page, "evaluated by htmx"
    assert "javascript:" not in page


@pytest.mark.parametrize("path", TEMPLATES, ids=_named)
def test_templates_name_no_other_origin(path: Path) -> None:
    found = re.findall(r"""(?:src|href|action|url)\s*[=(]\s*["']?(?:https?:)?//[^"'\s)]+""", path.read_text())
    assert not found


@pytest.mark.parametrize("path", STATIC, ids=_named)
def test_static_files_name_no_other_origin(path: Path) -> None:
    found = [u for u in re.findall(r"https?://[^\s\"')]+", path.read_text()) if u != "http://www.w3.org/2000/svg"]
    assert not found


@pytest.mark.parametrize("path", TEMPLATES, ids=_named)
def test_every_image_and_icon_button_has_words(path: Path) -> None:
    page = path.read_text()
    assert not re.search(r"<img(?![^>]*\balt=)", page)
    for button in re.findall(r"<button[^>]*class=\"[^\"]*\bicon\b[^\"]*\"[^>]*>", page):
        assert "aria-label" in button, button
