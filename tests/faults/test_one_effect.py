"""A real server, a wire that loses answers, two hands at once: each intent has one effect and one answer."""

from __future__ import annotations

import http.client
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.faults.conftest import Started
from tests.support.figures import add_figures
from tests.support.proxy import wire_to
from tests.support.server import Hand, Reply, new_key

VITALS = {"systolic": 128, "diastolic": 80}


def written(clinic: Any, key: str) -> int:
    return int(clinic.server.rows("SELECT count(*) FROM treatment_sessionevent WHERE entry_key = ?", key)[0][0])


def carers(clinic: Any) -> list[str]:
    return [row[0] for row in clinic.server.rows("SELECT name FROM people_caregiver ORDER BY id")]


def tell(**counts: int) -> None:
    """Keep how often something was sent again with its key, and how often that did it a second time."""
    add_figures("intents", counts)


def test_an_answer_lost_on_its_way_is_given_again_also_after_a_restart(started: Started) -> None:
    clinic = started()
    with wire_to(clinic.server.port) as wire:
        hand, entry, form = clinic.hand(port=wire.port), new_key(), new_key()
        carer = f"/patients/{clinic.patient}/caregivers/new/"
        wire.cut.set()
        for send in (
            lambda: hand.record(clinic.session, entry, **VITALS),
            lambda: hand.post(carer, {"name": "Synthetic Carer"}, form),
        ):
            with pytest.raises((http.client.HTTPException, OSError)):
                send()
        assert wire.lost == 2, "the server has answered both; neither answer arrived"
        wire.cut.clear()
        assert written(clinic, entry) == 1 and carers(clinic) == ["Synthetic Carer"]
        again = hand.record(clinic.session, entry, **VITALS)
        assert again.status == 200 and again.json["saved"][0]["entry_key"] == entry
        assert again.headers["Ketaclinic-Answer"] == "again"
        clinic.server.kill()
        clinic.server.start()
        replies = [hand.post(carer, {"name": "Synthetic Carer"}, form) for _ in range(3)]
        tell(repeats=len([again, *replies]), second_effects=written(clinic, entry) + len(carers(clinic)) - 2)
        assert {(r.status, r.headers["Location"]) for r in replies} == {(302, f"/patients/{clinic.patient}/details/")}
        assert hand.post(carer, {"name": "Another"}, form).status == 422
        assert hand.record(clinic.session, entry, **{**VITALS, "systolic": 150}).status == 422
        assert written(clinic, entry) == 1 and carers(clinic) == ["Synthetic Carer"]


def test_the_same_intent_from_many_hands_at_one_moment(started: Started) -> None:
    clinic = started(workers=3)
    hands = [clinic.hand() for _ in range(4)]
    carer = f"/patients/{clinic.patient}/caregivers/new/"
    for number in range(6):
        key, line = new_key(), Barrier(len(hands))

        def send(hand: Hand, number: int = number, key: str = key, line: Barrier = line) -> Reply:
            line.wait(20)
            return hand.post(carer, {"name": f"Carer {number}"}, key)

        with ThreadPoolExecutor(len(hands)) as pool:
            replies = list(pool.map(send, hands))
        assert {(r.status, r.headers.get("Location")) for r in replies} == {
            (302, f"/patients/{clinic.patient}/details/")
        }
        assert sum("Ketaclinic-Answer" not in r.headers for r in replies) == 1, "one did it, the others were told"
    tell(repeats=6 * (len(hands) - 1), second_effects=len(carers(clinic)) - 6)
    assert carers(clinic) == [f"Carer {number}" for number in range(6)]


def test_two_people_change_one_number_at_one_moment(started: Started) -> None:
    """Both open the page, both save: one is kept, the other is shown both values."""
    import re

    clinic = started(workers=3)
    page = f"/patients/{clinic.patient}/correct/"
    hands, line = [clinic.hand("nurse"), clinic.hand("front_desk")], Barrier(2)

    def change(pair: tuple[Hand, str]) -> Reply:
        hand, phone = pair
        form = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', hand.get(page).text))
        form |= {"sex": "female", "language": "en", "phone": phone, "reason": "a new number"}
        line.wait(20)
        return hand.post(page, form, "")

    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(change, zip(hands, ("+1 555 0101", "+1 555 0102"), strict=True)))
    assert sorted(r.status for r in replies) == [302, 409]
    told = next(r for r in replies if r.status == 409).text
    assert "+1 555 0101" in told and "+1 555 0102" in told and "changed it" in told
    assert clinic.server.rows("SELECT count(*) FROM people_patientcorrection") == [(1,)]


def test_two_administrators_who_close_each_other_out_leave_one(started: Started) -> None:
    clinic = started(workers=3)
    pair = [clinic.seeded["staff"][role] for role in ("administrator", "researcher")]
    hands = {pair[0]: clinic.server.sign_in(pair[0])}
    _make(hands[pair[0]], pair[1], "administrator")
    for _ in range(4):
        hands = {pk: clinic.server.sign_in(pk) for pk in pair}
        forms = {pk: _place_form(hands[pk], _other(pair, pk), "researcher") for pk in pair}
        line = Barrier(len(pair))

        def send(pk: int, hands: Any = hands, forms: Any = forms, line: Barrier = line) -> Reply:
            line.wait(20)
            return hands[pk].post(*forms[pk])

        with ThreadPoolExecutor(len(pair)) as pool:
            replies = list(pool.map(send, pair))
        left = _administrators(clinic)
        assert len(left) == 1, [reply.status for reply in replies]
        _make(clinic.server.sign_in(left[0]), _other(pair, left[0]), "administrator")
        assert sorted(_administrators(clinic)) == sorted(pair)


def _other(pair: list[int], pk: int) -> int:
    return pair[1] if pk == pair[0] else pair[0]


def _administrators(clinic: Any) -> list[int]:
    question = "SELECT id FROM people_staff WHERE role = 'administrator' AND is_active AND clinic_id = ?"
    return [row[0] for row in clinic.server.rows(question, clinic.seeded["clinic"])]


def _place_form(hand: Hand, pk: int, role: str) -> tuple[str, dict[str, str]]:
    page = hand.get(f"/staff/{pk}/").text
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    return f"/staff/{pk}/", {"display_name": f"Synthetic {pk}", "role": role, "seen": seen[1]}


def _make(hand: Hand, pk: int, role: str) -> None:
    assert hand.post(*_place_form(hand, pk, role)).status == 302
