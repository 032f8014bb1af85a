"""Many guesses at one password at one moment: a real server looks at no more of them than one after another."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from ketaclinic.access.throttle import PERSON_AND_ADDRESS
from tests.faults.conftest import Started
from tests.support.server import Hand

GUESSES = 24


def test_no_more_are_looked_at_than_one_after_another(started: Started) -> None:
    server = started(workers=3).server
    line = Barrier(GUESSES)  # 503: more strangers at one moment than the server takes

    def guess(number: int) -> int:
        line.wait(20)
        return Hand(server.port).post("/sign-in/", {"username": "somebody", "password": f"guess-{number}"}, "").status

    with ThreadPoolExecutor(GUESSES) as pool:
        answers = Counter(pool.map(guess, range(GUESSES)))
    assert set(answers) <= {422, 429, 503} and answers[422] <= PERSON_AND_ADDRESS.failures, answers
    assert server.rows("SELECT count(*) FROM access_failedattempt") == [(answers[422],)]
    again = Counter(guess_alone(server.port, number) for number in range(PERSON_AND_ADDRESS.failures + 1))
    assert answers[422] + again[422] == PERSON_AND_ADDRESS.failures, "what was refused counts for nobody"


def guess_alone(port: int, number: int) -> int:
    return Hand(port).post("/sign-in/", {"username": "somebody", "password": f"later-{number}"}, "").status
