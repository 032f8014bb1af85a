"""``ketacore ROOM < facts.json`` prints a decision as JSON.

Exit codes: 0, the question was answered; 2, it was refused (one line of JSON says why and what to do); 3, the program
failed and gives no answer. Needs nothing but the standard library, except in the room ``pkpd``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module, resources
from typing import Any, BinaryIO

from ketacore.evidence import Refusal

ANSWERED, REFUSED, FAILED = 0, 2, 3

MOST_BYTES = 1_000_000
MOST_DEPTH = 20
REASON_IS_TEXT = frozenset({"pkpd"})
"""Rooms whose contract has the reasons of a refusal as one text; the others list them."""

USAGE = """usage: ketacore ROOM < facts.json

Reads facts about one person as JSON, prints the decision with every rule that fired, every rule that was clear and
every rule that could not be checked.  ketacore ROOM --help shows what a room reads.

rooms: {rooms}

exit: 0 answered; 2 refused, with {{"refusal", "because", "do"}} on one line; 3 failed, no answer
"""


def rooms() -> tuple[str, ...]:
    """Return the rooms that can be asked from the shell: those with an ``ask.py``."""
    house = resources.files("ketacore")
    return tuple(sorted(r.name for r in house.iterdir() if r.is_dir() and (r / "ask.py").is_file()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer one question from standard input; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help", "help"):
        sys.stdout.write(USAGE.format(rooms=", ".join(rooms())))
        return ANSWERED if given else REFUSED
    try:
        return _run(given)
    except Refusal as refusal:
        because = "; ".join(refusal.because) if given[0] in REASON_IS_TEXT else list(refusal.because)
        return _say_no(refusal.refused, because, refusal.do, REFUSED)
    except Exception as error:  # noqa: BLE001 - an error is never a pass: no traceback, no answer, its own exit code
        failed = f"{type(error).__name__}: {error}"[:300]
        because = failed if given[0] in REASON_IS_TEXT else [failed]
        return _say_no("The program failed; there is no answer", because, "Report this with the facts used.", FAILED)


def _run(given: list[str]) -> int:
    room, *rest = given
    if room not in rooms():
        raise Refusal("Asking", [f"there is no room {room[:40]!r}"], f"Rooms: {', '.join(rooms())}.")
    asked = import_module(f"ketacore.{room}.ask")
    if rest in (["-h"], ["--help"]):
        sys.stdout.write(f"{(asked.__doc__ or '').strip()}\n")
        return ANSWERED
    if rest:
        raise Refusal("Asking", [f"unknown argument {rest[0][:40]!r}"], "Give the room only; facts come on stdin.")
    answer: Callable[[Mapping[str, Any]], dict[str, Any]] = asked.answer
    decided = answer(read(sys.stdin.buffer))
    sys.stdout.write(json.dumps(decided, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return ANSWERED


def read(stream: BinaryIO) -> dict[str, Any]:
    """Return the JSON object on a stream; raises ``Refusal`` for anything else, however large, deep or odd."""
    raw = stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise _unreadable(f"more than {MOST_BYTES} bytes", "Give the facts of one person.")
    if not raw.strip():
        raise _unreadable("nothing came on standard input", "Try: ketacore ROOM < facts.json")
    try:
        document = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise _unreadable("it is not UTF-8", "Save the file as UTF-8.") from None
    except RecursionError:
        raise _unreadable("it is nested too deeply", f"Nest at most {MOST_DEPTH} levels.") from None
    except ValueError as error:
        raise _unreadable(f"it is not JSON: {error}"[:200], "Correct the file.") from None
    if not isinstance(document, dict):
        raise _unreadable("it is not an object", "Write {…}.")
    if _depth(document) > MOST_DEPTH:
        raise _unreadable("it is nested too deeply", f"Nest at most {MOST_DEPTH} levels.")
    return document


def _unreadable(because: str, do: str) -> Refusal:
    return Refusal("Reading standard input", [because], do)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands twice in one object")
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a number of JSON")


def _depth(document: Any) -> int:
    deepest, level = 0, [document]
    while level:
        deepest += 1
        level = [child for node in level for child in _children(node)]
        if deepest > MOST_DEPTH:
            break
    return deepest


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return [v for v in node.values() if isinstance(v, dict | list)]
    return [v for v in node if isinstance(v, dict | list)]


def _say_no(refusal: str, because: str | list[str], do: str, code: int) -> int:
    line = json.dumps({"refusal": refusal, "because": because, "do": do}, ensure_ascii=True)
    sys.stdout.write(f"{line}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
