"""The shell: an answer, or one line that says why not; never a traceback."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace

import pytest

from ketacore import cli

DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def run(monkeypatch: pytest.MonkeyPatch, raw: bytes, *arguments: str) -> int:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
    return cli.main(list(arguments))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"  ",
        b"[",
        b"[]",
        b"\xff\xfe",
        b'{"a":NaN}',
        b'{"a":1,"a":2}',
        DEEP,
        b'{"a":' + b"[" * 30 + b"]" * 30 + b"}",
        b" " * (cli.MOST_BYTES + 1),
        b'{"surprise":1}',
        b'{"jurisdiction":"US","on":"2026-11-23","product":"ketamine-iv","facts":{"pregnant":"no"}}',
        b'{"jurisdiction":"US","on":"2026-11-23","product":"ketamine-iv","facts":{"surprise":1}}',
    ],
)
def test_bad_input_is_refused_on_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raw: bytes
) -> None:
    assert run(monkeypatch, raw, "screening") == 2
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert set(json.loads(out)) == {"refusal", "because", "do"}


def test_help_names_the_rooms(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    assert "screening" in capsys.readouterr().out
    assert cli.main(["screening", "--help"]) == 0
    assert cli.main([]) == 2


@pytest.mark.parametrize("arguments", [["nowhere"], ["screening", "--fast"]])
def test_bad_arguments_are_refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert cli.main(arguments) == 2


def test_a_failure_gives_no_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("ketacore.screening.ask.answer", lambda document: 1 / 0)
    assert run(monkeypatch, b"{}", "screening") == 3
    assert "no answer" in json.loads(capsys.readouterr().out)["refusal"]
