"""Floor, wall and session screen as the server renders them: what people must be able to see and do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.http import QueryDict
from django.test import Client

from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.treatment.models import Session, SessionEvent
from ketaclinic.treatment.presenters import entries_from
from ketaclinic.treatment.presenters.happened import amendable, lines
from ketaclinic.treatment.presenters.pad import pad_fields
from ketacore.evidence import Refusal, Setting
from ketacore.units import BloodPressure, ImpossibleValue
from tests.clinic.treatment_screens.floor import NAMES, arrive, event, full_floor, make_session, measure, observed
from tests.support.clock import Clock


@pytest.fixture
def chairs(clinic: Clinic, nurse: Staff, prescriber: Staff, clock: Clock) -> dict[int, Session]:
    return full_floor(clinic, nurse, prescriber, clock.at)


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_board_shows_every_chair_in_its_place(as_nurse: Client, chairs: dict[int, Session]) -> None:
    shown = page(as_nurse, "/treatment/floor/")
    places = [shown.index(f'id="chair-{n}"') for n in range(1, 7)]
    assert places == sorted(places)
    for given, family, _ in NAMES:
        assert f"{given} {family}" in shown
    for phase in ("Observation", "Infusion", "Devices", "Start gate", "Leaving", "Recovery"):
        assert phase in shown
    assert "The bedside monitor is the primary alarm." in shown


def test_a_device_that_waits_does_not_vanish_behind_a_late_reading(
    as_nurse: Client, chairs: dict[int, Session], clock: Clock
) -> None:
    clock.pass_minutes(25)
    row = page(as_nurse, "/treatment/floor/").split('id="chair-3"')[1].split('id="chair-4"')[0]
    assert "Overdue" in row and "Also waiting: Device 3 of 3" in row, row
    assert "more" in page(as_nurse, "/treatment/wall/")


def test_who_has_passed_the_gate_is_ready_and_who_has_not_is_not(as_nurse: Client, chairs: dict[int, Session]) -> None:
    row = page(as_nurse, "/treatment/floor/").split('id="chair-4"')[1].split('id="chair-5"')[0]
    assert "<b>Start gate</b>" in row and "<b>Ready</b>" not in row


def test_only_exceptions_are_filled(as_nurse: Client, chairs: dict[int, Session]) -> None:
    shown = page(as_nurse, "/treatment/floor/live/")
    assert shown.count('class="due urgent"') == 1
    assert "URGENT · Chair 6 · Blood pressure 184/102" in shown


def test_an_urgent_alert_is_acknowledged_by_name(as_nurse: Client, nurse: Staff, chairs: dict[int, Session]) -> None:
    shown = page(as_nurse, "/treatment/floor/")
    assert f"Acknowledge as {nurse.display_name}" in shown
    key = shown.split('name="alert" value="')[1].split('"')[0]
    path = f"/treatment/session/{chairs[6].pk}/acknowledge/"
    answer = as_nurse.post(path, {"alert": key, "entry_key": "k1", "next": "/treatment/floor/"})
    assert answer.status_code == 302
    assert f"Acknowledged by {nurse.display_name}" in page(as_nurse, "/treatment/floor/")


def test_arrivals_say_what_still_blocks_them(as_nurse: Client, chairs: dict[int, Session]) -> None:
    shown = page(as_nurse, "/treatment/floor/")
    assert "still blocked" in shown
    assert "Consent" in shown


def test_the_wall_shows_no_name_and_no_birth_date(as_nurse: Client, chairs: dict[int, Session]) -> None:
    shown = page(as_nurse, "/treatment/wall/")
    for given, family, _ in NAMES:
        assert given not in shown
        assert family not in shown
    assert "born" not in shown
    assert "No names on this display." in shown
    assert "184/102" not in shown, "no measured value where visitors look"


def test_empty_chairs_stay_and_say_so(as_nurse: Client, clinic: Clinic) -> None:
    shown = page(as_nurse, "/treatment/floor/")
    assert shown.count("Free") == clinic.chairs


def test_the_session_shows_record_pad_and_gate(as_nurse: Client, chairs: dict[int, Session]) -> None:
    shown = page(as_nurse, f"/treatment/session/{chairs[1].pk}/")
    for words in (
        "149/92",
        "Heart rate",
        "clinic limit 160",
        "What happened",
        "leave?",
        "Vitals",
        "nothing carried over",
    ):
        assert words in shown, words
    assert 'name="systolic"' in shown
    assert " checked" not in shown.split('id="pad"')[1].split("</form>")[0], "nothing is chosen in advance"


def test_limits_appear_only_when_signed(as_nurse: Client, nurse: Staff, patient: Patient, clock: Clock) -> None:
    session = make_session(patient, nurse, clock.at - timedelta(minutes=60))
    observed(session, nurse, clock.at, 45)
    assert "clinic limit" not in page(as_nurse, f"/treatment/session/{session.pk}/")


def test_the_start_gate_asks_and_takes_the_answer(as_nurse: Client, chairs: dict[int, Session]) -> None:
    path = f"/treatment/session/{chairs[4].pk}/"
    assert "not asked yet" in page(as_nurse, path)
    sent = {"kind": "answer", "question": "ate_within_2h", "answer": "not_known", "entry_key": "a1"}
    assert as_nurse.post(f"{path}record/", sent).status_code == 302
    shown = page(as_nurse, path)
    assert 'id="q-ate_within_2h-nk" name="answer" value="not_known" aria-pressed="true"' in shown


def test_the_pad_saves_several_entries_once(as_nurse: Client, chairs: dict[int, Session]) -> None:
    path = f"/treatment/session/{chairs[1].pk}/record/"
    sent = {"kind": "pad", "systolic": "146", "diastolic": "88", "moaas": "5", "level": "mild", "entry_key": "p1"}
    before = SessionEvent.objects.filter(session=chairs[1]).count()
    for _ in range(2):
        answer = as_nurse.post(path, sent, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.content
    assert SessionEvent.objects.filter(session=chairs[1]).count() == before + 3


def test_a_refused_discharge_names_what_is_missing(as_nurse: Client, chairs: dict[int, Session]) -> None:
    path = f"/treatment/session/{chairs[5].pk}/record/"
    answer = as_nurse.post(path, {"kind": "discharged", "entry_key": "d1"})
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert "Nothing was changed." in shown
    assert "The escort is here" in shown or "escort" in shown
    assert "Vitals" in shown, "the screen stays"


def test_an_undone_entry_stays_struck_through(as_nurse: Client, chairs: dict[int, Session]) -> None:
    row = SessionEvent.objects.filter(session=chairs[1], kind="vitals").latest("at")
    path = f"/treatment/session/{chairs[1].pk}/entry/{row.pk}/"
    answer = as_nurse.post(path, {"reason": "wrong chair", "voided": "on", "entry_key": "u1"})
    assert answer.status_code == 302
    shown = page(as_nurse, f"/treatment/session/{chairs[1].pk}/")
    assert "<del>BP 149/92" in shown
    assert "wrong chair" in shown


def test_a_correction_shows_the_old_value(as_nurse: Client, chairs: dict[int, Session]) -> None:
    row = SessionEvent.objects.filter(session=chairs[1], kind="vitals").latest("at")
    path = f"/treatment/session/{chairs[1].pk}/entry/{row.pk}/"
    assert 'value="149"' in page(as_nurse, path)
    sent = {"systolic": "139", "diastolic": "92", "heart_rate": "88", "reason": "mistyped", "entry_key": "c1"}
    assert as_nurse.post(path, sent).status_code == 302
    shown = page(as_nurse, f"/treatment/session/{chairs[1].pk}/")
    assert "BP 139/92" in shown
    assert "<del>BP 149/92</del>" in shown


def test_the_poll_brings_the_parts_that_move(as_nurse: Client, chairs: dict[int, Session]) -> None:
    answer = as_nurse.get(f"/treatment/session/{chairs[1].pk}/", headers={"HX-Request": "true"})
    shown = answer.content.decode()
    for part in ("live-alerts", "live-phases", "live-next", "live-trace", "live-happened", "live-leave"):
        assert f'id="{part}"' in shown
    assert shown.count('hx-swap-oob="true"') == 6
    assert 'id="pad"' not in shown, "what somebody is typing in is never replaced"


def test_lines_keep_what_was_replaced(nurse: Staff, patient: object) -> None:
    at = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
    session = make_session(patient, nurse, at)  # type: ignore[arg-type]
    arrive(session, nurse)
    row = measure(session, nurse, at + timedelta(minutes=12), (149, 92))
    shown = lines([*SessionEvent.objects.filter(session=session)])
    assert shown[0].pk == row.pk
    assert {f.name for f in amendable(row).fields} >= {"systolic", "diastolic", "heart_rate"}
    said = event(session, nurse, at, "symptom", symptom="nausea", present=False)
    assert amendable(said).text == "No nausea"


def post(text: str) -> QueryDict:
    return QueryDict(text)


def test_what_cannot_be_read_is_refused_by_name() -> None:
    with pytest.raises(Refusal, match="upper blood pressure"):
        entries_from(post("kind=vitals&entry_key=k&systolic=abc&diastolic=80"))
    with pytest.raises(Refusal, match="nothing was measured"):
        entries_from(post("kind=pad&entry_key=k"))
    with pytest.raises(Refusal, match="no key"):
        entries_from(post("kind=arrived"))
    with pytest.raises(Refusal, match="can be recorded"):
        entries_from(post("kind=magic&entry_key=k"))
    with pytest.raises(Refusal, match="lot: not filled in"):
        entries_from(post("kind=device&entry_key=k&number=1"))


def test_unticked_boxes_are_no_and_times_need_a_zone() -> None:
    (entry,) = entries_from(post("kind=escort&entry_key=k&name=Daniel&at=2026-11-23T12:00"))
    assert entry.payload == {"name": "Daniel", "here": False}
    assert entry.at is None
    (entry,) = entries_from(post("kind=escort&entry_key=k&name=D&here=on&at=2026-11-23T12:00Z"))
    assert entry.payload["here"] is True
    assert entry.at == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_every_impossible_reading_of_the_pad_is_named_at_once() -> None:
    with pytest.raises(Refusal) as refused:
        entries_from(post("kind=pad&entry_key=k&systolic=12&diastolic=300&oxygen_saturation=130&respiratory_rate=-3"))
    told = " ".join(refused.value.because)
    for words in ("blood pressure 12/300", "SpO₂: percentage 130", "respiratory rate: rate -3"):
        assert words in told
    with pytest.raises(Refusal) as refused:
        entries_from(post("kind=pad&entry_key=k&systolic=120&heart_rate=500"))
    assert [line.split(":")[0] for line in refused.value.because] == ["blood pressure", "heart rate"]


def test_the_pad_refuses_what_the_core_refuses_and_asks_only_with_signed_or_drawn_numbers() -> None:
    unsigned = pad_fields(Setting("US", date(2026, 11, 23), "ketamine-iv"), nasal=False)
    asked = {name: (f.usual_low, f.usual_high) for name, f in unsigned.items()}
    assert asked["systolic"] == asked["diastolic"] == asked["heart_rate"] == (50, 170)
    assert asked["oxygen_saturation"] == (90, 100)
    upper, lower = unsigned["systolic"], unsigned["diastolic"]
    BloodPressure(upper.low, lower.low), BloodPressure(upper.high, lower.high)
    for wrong in ((upper.low - 1, lower.low), (upper.high + 1, lower.high), (upper.high, lower.high + 1)):
        with pytest.raises(ImpossibleValue):
            BloodPressure(*wrong)
