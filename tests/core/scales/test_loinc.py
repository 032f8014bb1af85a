"""Every LOINC code in the sources carries the right check digit. Codes of answers (LA…) have a scheme of their own."""

from __future__ import annotations

import re

import pytest

from tests.support.tree import ROOT

CODE = re.compile(r"""["'](\d{3,7}-\d)["']""")


def loinc_codes() -> list[str]:
    found: set[str] = set()
    for file in sorted((ROOT / "src").rglob("*")):
        if file.suffix in {".py", ".toml"} and "migrations" not in file.parts:
            found |= set(CODE.findall(file.read_text(encoding="utf-8")))
    return sorted(found)


def check_digit(number: str) -> int:
    """Mod 10 (Luhn): every second digit from the right is doubled."""
    doubled = "".join(str(int(d) * 2) if place % 2 == 0 else d for place, d in enumerate(reversed(number)))
    return -sum(map(int, doubled)) % 10


def test_there_are_codes() -> None:
    assert {"44249-1", "44261-6", "69737-5", "70274-6"} <= set(loinc_codes())


@pytest.mark.parametrize("code", loinc_codes())
def test_the_check_digit_holds(code: str) -> None:
    number, digit = code.split("-")
    assert check_digit(number) == int(digit)
