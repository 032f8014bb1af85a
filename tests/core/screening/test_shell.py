"""``ketacore screening``: an answer in full, and the program's exit."""

from __future__ import annotations

import io
import json
import runpy
import sys
from types import SimpleNamespace

import pytest

from ketacore import cli

ASKED = b'{"jurisdiction": "US", "on": "2026-11-23", "product": "ketamine-iv"}'


def test_an_answer_is_json_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(ASKED)))
    monkeypatch.setattr(sys, "argv", ["ketacore", "screening"])
    assert cli.main() == cli.ANSWERED
    assert json.loads(capsys.readouterr().out)["outcome"] == "cannot_decide"


def test_run_as_a_program_it_exits_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["ketacore"])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(cli.__file__, run_name="__main__")
    assert left.value.code == cli.REFUSED
