"""A form on the page, its alert with an owner and a clock, and corrections that keep what was there before."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from ketaclinic.followup import actions, presenters, queries
from ketaclinic.followup.facts import total_fact
from ketaclinic.followup.models import Alert, AlertEvent, ScaleAnswer
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.policy.actions import sign_policy
from ketaclinic.record.models import StoredDecision, TimelineEntry
from ketaclinic.treatment.models import Session
from ketacore.evidence import Refusal
from ketacore.followup import RULES
from tests.clinic.treatment_screens.floor import device, make_plan, make_session
from tests.support.people import NOON, make_clinic, make_patient, make_staff

MILD = {f"q{n}": 1 for n in range(1, 9)} | {"q9": 0}
DAY = timedelta(days=1)


def fill(patient: Patient, by: Staff, key: str = "k1", at: datetime = NOON, **more: object) -> actions.Recorded:
    values = {"instrument": "phq9", "answers": MILD, "entry_key": key, **more}
    return actions.record_answers(patient=patient, by=by, at=at, **values)  # type: ignore[arg-type]


def urgent(patient: Patient, by: Staff, key: str = "k1", at: datetime = NOON) -> Alert:
    return fill(patient, by, key, at, answers={**MILD, "q9": 2}).alerts[0]


def sign(by: Staff, *rule_ids: str) -> None:
    for rule_id in rule_ids:
        sign_policy(rule=RULES[rule_id], by=by, at=NOON - 90 * DAY)


def test_a_form_is_scored_and_leaves_its_line(patient: Patient, nurse: Staff) -> None:
    recorded = fill(patient, nurse)
    assert (recorded.answer.total, recorded.answer.band, recorded.alerts) == (8, "mild", ())
    assert TimelineEntry.objects.get(patient=patient).title == "PHQ-9: 8 of 27, mild"
    assert fill(patient, nurse).answer == recorded.answer
    assert str(recorded.answer) == "phq9 on 2026-11-23: 8"


@pytest.mark.parametrize("count", [1, 2])
def test_half_a_form_is_kept_without_a_number(patient: Patient, nurse: Staff, count: int) -> None:
    row = fill(patient, nurse, answers={**MILD, "q9": 1, **{f"q{n}": None for n in range(1, count + 1)}})
    assert (row.answer.total, row.answer.complete) == (None, False)
    assert [a.kind for a in row.alerts] == ["suicide_item"]
    assert queries.scores_of(patient, "phq9") == []
    assert "no number" in str(row.answer)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"instrument": "bdi"}, "no instrument bdi"),
        ({"answers": {}}, "no item was answered"),
        ({"answers": {**MILD, "q1": 9}}, "q1 is 9"),
        ({"answered_at": NOON + DAY}, "future"),
    ],
)
def test_what_cannot_be_stored_is_refused(patient: Patient, nurse: Staff, more: dict[str, object], told: str) -> None:
    with pytest.raises(Refusal, match=told):
        fill(patient, nurse, **more)
    assert not ScaleAnswer.objects.exists()


def test_a_key_is_for_one_form(patient: Patient, nurse: Staff, clinic: Clinic) -> None:
    first, other = fill(patient, nurse).answer, make_patient(clinic)
    fill(patient, nurse, "k2")
    with pytest.raises(Refusal, match="someone else"):
        fill(other, nurse)
    with pytest.raises(Refusal, match="something else"):
        actions.amend_answers(answer=first, answers=MILD, reason="x", entry_key="k2", by=nurse, at=NOON)


def test_staff_of_another_clinic_write_nothing(patient: Patient) -> None:
    with pytest.raises(PermissionDenied):
        fill(patient, make_staff(make_clinic(name="Other"), Role.NURSE))


def test_a_correction_keeps_the_form_before(patient: Patient, nurse: Staff) -> None:
    first = fill(patient, nurse).answer
    values = {"answers": {**MILD, "q1": 3}, "entry_key": "k2", "by": nurse, "at": NOON + DAY}
    with pytest.raises(Refusal, match="no reason"):
        actions.amend_answers(answer=first, reason=" ", **values)
    newer = actions.amend_answers(answer=first, reason="Misread.", **values).answer
    assert actions.amend_answers(answer=first, reason="Misread.", **values).answer == newer
    assert [row.total for row in queries.scores_of(patient, "phq9")] == [10]
    with pytest.raises(Refusal, match="corrected already"):
        actions.amend_answers(answer=first, reason="Again.", **{**values, "entry_key": "k3"})


def test_an_alert_is_not_raised_twice_by_a_correction(patient: Patient, nurse: Staff, prescriber: Staff) -> None:
    alert = urgent(patient, nurse)
    values = {"answers": {**MILD, "q9": 3}, "reason": "Misread.", "by": nurse, "at": NOON + DAY}
    assert actions.amend_answers(answer=alert.answer, entry_key="k2", **values).alerts == ()
    assert list(queries.open_alerts(patient.clinic, NOON + DAY)) == [alert]


def test_a_form_corrected_twice_raises_its_alert_once(patient: Patient, nurse: Staff) -> None:
    alert = urgent(patient, nurse)
    answer = alert.answer
    for n in (2, 3, 4):
        values = {"answers": {**MILD, "q1": n % 4, "q9": 2}, "reason": "Misread.", "by": nurse, "at": NOON + n * DAY}
        recorded = actions.amend_answers(answer=answer, entry_key=f"k{n}", **values)
        assert recorded.alerts == ()
        answer = recorded.answer
    assert list(queries.open_alerts(patient.clinic, NOON + 9 * DAY)) == [alert]
    actions.close_alert(alert=alert, outcome="assessed", note="Safe.", by=nurse, at=NOON + 9 * DAY)
    values = {"answers": {**MILD, "q9": 3}, "reason": "Misread.", "by": nurse, "at": NOON + 10 * DAY}
    assert [a.kind for a in actions.amend_answers(answer=answer, entry_key="k9", **values).alerts] == ["suicide_item"]


WITHOUT_NINE = {k: v for k, v in MILD.items() if k != "q9"}


@pytest.mark.parametrize("signed", [True, False])
def test_an_item_about_suicide_left_out_is_an_open_task(
    patient: Patient, nurse: Staff, prescriber: Staff, signed: bool
) -> None:
    if signed:
        sign(prescriber, "KC-ESC-01")
    (alert,) = fill(patient, nurse, answers=WITHOUT_NINE).alerts
    assert (alert.kind, alert.priority, alert.rule_id) == ("item_undecided", "medium", "RS-01-S")
    assert alert.title == "PHQ-9 item about suicide not answered: ask" and alert.value == "not answered: q9"
    assert (alert.decision.outcome, alert.decision.facts) == ("cannot_decide", WITHOUT_NINE)
    assert (alert.owner_role, alert.due_at) == ("prescriber", NOON + timedelta(minutes=30) if signed else None)
    assert list(queries.alerts_for(prescriber, NOON)) == [alert]
    assert TimelineEntry.objects.filter(patient=patient, title=alert.title).exists()
    values = {"reason": "Asked again.", "by": nurse, "at": NOON + DAY}
    again = actions.amend_answers(answer=alert.answer, answers={**WITHOUT_NINE, "q1": 2}, entry_key="k2", **values)
    assert again.alerts == ()
    told = actions.amend_answers(answer=again.answer, answers={**MILD, "q9": 1}, entry_key="k3", **values)
    assert [a.kind for a in told.alerts] == ["suicide_item"]
    left_out = actions.amend_answers(answer=told.answer, answers=WITHOUT_NINE, entry_key="k4", **values)
    assert left_out.alerts == ()


def test_an_item_no_rule_speaks_of_is_an_open_task(patient: Patient, nurse: Staff) -> None:
    (alert,) = fill(patient, nurse, at=datetime(2024, 6, 6, 16, tzinfo=NOON.tzinfo)).alerts
    assert alert.title == "PHQ-9 item about suicide could not be judged: ask"
    assert alert.value == "no rule about this item holds on this day"


def test_what_could_not_be_decided_after_a_session_is_kept(patient: Patient, prescriber: Staff) -> None:
    sign(prescriber, "SAF-06")
    session = make_session(patient, prescriber, NOON - DAY)
    device(session, prescriber, NOON - DAY, 1)
    kept = StoredDecision.objects.filter(patient=patient, question="worse_after_session")
    assert fill(patient, prescriber, "first").alerts == ()
    assert [(d.outcome, d.facts["previous"]) for d in kept] == [("cannot_decide", None)]
    fill(patient, prescriber, "second", NOON + DAY)
    assert kept.count() == 1
    fill(patient, prescriber, "half", NOON + 2 * DAY, answers={**MILD, "q1": None})
    assert kept.count() == 1


def test_an_alert_without_a_signed_policy_has_an_owner_and_no_clock(patient: Patient, prescriber: Staff) -> None:
    alert = urgent(patient, prescriber)
    line = presenters.alert_line(queries.alert_in(patient.clinic, alert.pk), NOON)
    assert (line.owner, line.state, line.clock) == ("prescriber", "no_clock", "now: no deadline is signed")
    assert str(alert) == "PHQ-9 item about suicide answered: assess today"


@pytest.mark.parametrize(
    ("minutes", "clock", "owner"),
    [
        (10, "20 min left", "prescriber"),
        (31, "1 min late", "prescriber, and now nurse"),
        (240, "3 h late", "prescriber, and now nurse"),
        (6000, "4 days late", "prescriber, and now nurse"),
    ],
)
def test_the_clock_runs_and_passes_the_alert_on(
    patient: Patient, prescriber: Staff, nurse: Staff, minutes: int, clock: str, owner: str
) -> None:
    sign(prescriber, "KC-ESC-01")
    alert = urgent(patient, nurse)
    at = NOON + timedelta(minutes=minutes)
    line = presenters.alert_line(queries.alert_in(patient.clinic, alert.pk), at)
    assert (line.clock, line.owner) == (clock, owner)
    assert queries.alerts_for(prescriber, at).exists()
    assert queries.alerts_for(nurse, at).exists() is (minutes > 30)


def test_the_loop_is_taken_noted_and_closed(patient: Patient, prescriber: Staff, nurse: Staff) -> None:
    alert, later = urgent(patient, nurse), NOON + timedelta(minutes=5)
    step = actions.acknowledge_alert(alert=alert, by=prescriber, at=later)
    assert actions.acknowledge_alert(alert=alert, by=prescriber, at=later) == step
    with pytest.raises(Refusal, match="has taken it"):
        actions.acknowledge_alert(alert=alert, by=make_staff(patient.clinic), at=later)
    with pytest.raises(Refusal, match="empty"):
        actions.note_on_alert(alert=alert, note=" ", by=prescriber, at=later)
    actions.note_on_alert(alert=alert, note="Called.", by=prescriber, at=later)
    for outcome, note, told in [("", "x", "no outcome"), ("assessed", " ", "nothing says")]:
        with pytest.raises(Refusal, match=told):
            actions.close_alert(alert=alert, outcome=outcome, note=note, by=prescriber, at=later)
    actions.close_alert(alert=alert, outcome="assessed", note="Safe.", by=prescriber, at=later)
    assert [s.kind for s in queries.steps_of(alert)] == ["acknowledged", "note", "closed"]
    assert not queries.open_alerts(patient.clinic, later).exists()
    with pytest.raises(Refusal, match="closed"):
        actions.note_on_alert(alert=alert, note="More.", by=prescriber, at=later)
    report = queries.loop_report(patient.clinic, NOON - DAY, later)
    assert report == {"raised": 1, "open": 0, "late": 0, "closed": 1}


def test_whoever_closes_an_alert_nobody_took_takes_it(patient: Patient, prescriber: Staff) -> None:
    alert = urgent(patient, prescriber)
    actions.close_alert(alert=alert, outcome="in_error", note="Mistyped.", by=prescriber, at=NOON)
    assert [str(s).split()[0] for s in queries.steps_of(alert)] == ["Acknowledged", "Closed"]
    with pytest.raises(PermissionDenied):
        actions.note_on_alert(alert=alert, note="x", by=make_staff(patient.clinic, Role.FRONT_DESK), at=NOON)


def test_worse_after_a_session_asks_for_a_review(patient: Patient, prescriber: Staff) -> None:
    sign(prescriber, "SAF-06")
    fill(patient, prescriber, "before", NOON - 2 * DAY)
    session = make_session(patient, prescriber, NOON - DAY)
    device(session, prescriber, NOON - DAY, 1)
    worse = fill(patient, prescriber, "after", answers={**MILD, "q1": 3, "q2": 3})
    assert [(a.kind, a.priority, a.rule_id) for a in worse.alerts] == [("worsening", "medium", "SAF-06")]
    baseline = queries.baseline_of(patient, "phq9", NOON)
    assert baseline is not None and baseline.entry_key == "before"


def test_the_form_on_the_page(as_nurse: Client, patient: Patient) -> None:
    path = f"/followup/{patient.pk}/answer/phq9/"
    assert "Question 9 of 9" in as_nurse.get(path).content.decode()
    sent = {**{k: str(v) for k, v in MILD.items()}, "entry_key": "web"}
    half = {k: v for k, v in sent.items() if k != "q9"}
    reply = as_nurse.post(path, half)
    assert (reply.status_code, ScaleAnswer.objects.exists()) == (422, False)
    assert as_nurse.post(path, {**sent, "q1": "x"}).status_code == 409
    reply = as_nurse.post(path, {**half, "entry_key": "half", "without_number": "1"}, follow=True)
    assert "That is not a no: ask." in reply.content.decode()
    assert "PHQ-9 8 of 27, mild" in as_nurse.post(path, sent, follow=True).content.decode()
    assert as_nurse.get(f"/followup/{patient.pk}/answer/bdi/").status_code == 404


def test_a_form_is_read_and_corrected_on_the_page(as_nurse: Client, patient: Patient, nurse: Staff) -> None:
    row = fill(patient, nurse).answer
    path = f"/followup/form/{row.pk}/"
    assert "Corrected." not in as_nurse.get(path).content.decode()
    sent = {**{k: str(v) for k, v in MILD.items()}, "q1": "3", "entry_key": "web"}
    assert as_nurse.get(f"{path}correct/").status_code == 200
    assert as_nurse.post(f"{path}correct/", sent).status_code == 409
    assert as_nurse.post(f"{path}correct/", {**sent, "q1": "x", "reason": "Misread."}).status_code == 409
    assert as_nurse.post(f"{path}correct/", {**sent, "reason": "Misread."}).status_code == 302
    assert "Corrected." in as_nurse.get(path).content.decode()


def test_an_alert_on_the_page(as_prescriber: Client, as_nurse: Client, patient: Patient) -> None:
    sent = {**{k: str(v) for k, v in MILD.items()}, "q9": "1", "entry_key": "web"}
    reply = as_prescriber.post(f"/followup/{patient.pk}/answer/phq9/", sent)
    alert = Alert.objects.get()
    path = f"/followup/alert/{alert.pk}/"
    assert reply.headers["Location"] == path
    assert 'href="tel:988"' in as_prescriber.get(path).content.decode()
    assert "Open" in as_prescriber.get("/followup/alerts/").content.decode()
    assert as_prescriber.post(path, {"do": "acknowledge"}).status_code == 302
    assert as_nurse.post(path, {"do": "acknowledge"}).status_code == 409
    assert as_prescriber.post(path, {"do": "note", "note": "Called."}).status_code == 302
    assert as_prescriber.post(path, {"do": "note"}).status_code == 409
    assert as_prescriber.post(path, {"do": "close", "note": "Safe."}).status_code == 409
    assert as_prescriber.post(path, {"do": "close", "outcome": "assessed", "note": "Safe."}).status_code == 302
    assert AlertEvent.objects.count() == 3
    assert "closed" in as_prescriber.get(path).content.decode()
    assert "Closed alerts" in as_prescriber.get(f"/followup/{patient.pk}/").content.decode()


def test_the_course_of_scores_in_words(as_nurse: Client, patient: Patient, prescriber: Staff) -> None:
    sign(prescriber, "DEC-18")
    assert "No score yet" in as_nurse.get(f"/followup/{patient.pk}/").content.decode()
    fill(patient, prescriber, "a", NOON - 60 * DAY, answers={**dict.fromkeys(MILD, 2), "q9": 0})
    for number in range(8):
        session = make_session(patient, prescriber, NOON - timedelta(days=50 - 4 * number))
        device(session, prescriber, session.at, 1)
    fill(patient, prescriber, "b", NOON - DAY, answers={**dict.fromkeys(MILD, 0), "q1": 3})
    fill(patient, prescriber, "c", NOON - DAY, answers={**MILD, "q1": None})
    page = as_nurse.get(f"/followup/{patient.pk}/").content.decode()
    assert "response, in remission" in page
    assert "no score was made from the rest" in page
    course = presenters.score_course(patient, NOON, proposed=(NOON.date() + DAY, NOON.date() + 9 * DAY))
    assert course.wide is not None and course.narrow is not None
    assert course.wide.proposed is not None and "proposed 24 Nov–2 Dec" in course.wide.proposed.label
    assert presenters.chart_card(patient, NOON).alerts == ()
    for days, label, anchor in ((1, "24 Nov", "end"), (5, "24–28 Nov", "end"), (200, "24 Nov–11 Jun", "mid")):
        first, last = NOON.date() + DAY, NOON.date() + days * DAY
        drawing = presenters.score_course(patient, NOON, proposed=(first, last)).wide
        assert drawing is not None and drawing.proposed is not None
        assert (drawing.proposed.label, drawing.proposed_anchor) == (f"proposed {label}", anchor)
        assert 0 < drawing.proposed_x <= drawing.width and drawing.future_width > 0


def test_a_course_of_years_names_its_months(patient: Patient, prescriber: Staff) -> None:
    fill(patient, prescriber, "a", NOON - 900 * DAY)
    drawing = presenters.score_course(patient, NOON).wide
    assert drawing is not None
    assert drawing.days[-1].label == "Nov 2026"
    assert (drawing.proposed_x, drawing.proposed_anchor) == (0, "mid")


def test_a_session_of_a_protocol_this_release_does_not_know(
    patient: Patient, prescriber: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(patient, prescriber, "a", NOON - 9 * DAY)
    session = make_session(patient, prescriber, NOON - DAY)
    device(session, prescriber, session.at, 1)
    monkeypatch.setattr("ketaclinic.followup.presenters.course.PROTOCOLS", {})
    drawing = presenters.score_course(patient, NOON).wide
    assert drawing is not None
    assert (len(drawing.sessions), drawing.phases) == (1, ())


def test_the_facts_of_a_form_without_a_number(patient: Patient, prescriber: Staff) -> None:
    row = fill(patient, prescriber, answers={**MILD, "q1": None}).answer
    assert total_fact(row).state == "asked_not_known"
    assert total_fact(None).state == "not_asked"


def test_an_instrument_without_an_item_about_suicide(patient: Patient, prescriber: Staff, clinic: Clinic) -> None:
    answers = {f"q{n}": 3 for n in range(1, 8)}
    recorded = fill(patient, prescriber, instrument="gad7", answers=answers)
    assert recorded.alerts == ()
    assert queries.latest_scores(clinic, [patient.pk], "gad7", NOON) == {patient.pk: [recorded.answer]}
    drawing = presenters.score_course(patient, NOON, "gad7").wide
    assert drawing is not None
    assert [line.label for line in drawing.lines] == ["half the starting score (response)"]


def test_the_phases_stand_under_their_sessions(patient: Patient, prescriber: Staff) -> None:
    fill(patient, prescriber, "a", NOON - 60 * DAY)
    plan = make_plan(patient, prescriber, NOON - 40 * DAY)
    row = {"clinic": patient.clinic, "patient": patient, "recorded_at": NOON, "recorded_by": prescriber}
    for days in (50, 47, 40, 33, 26, 20, 13, 6):
        key = {"plan": plan, "product": plan.product, "chair": 1, "dose_mg": 56, "entry_key": f"s{days}"}
        session = Session.objects.create(**row, **key, at=NOON - days * DAY)
        device(session, prescriber, session.at, 1)
    drawing = presenters.score_course(patient, NOON).wide
    assert drawing is not None
    assert [bar.label for bar in drawing.phases] == ["induction", "maintenance, weekly"]


@pytest.mark.parametrize(
    ("start", "now", "signed", "told"),
    [
        (16, 16, True, "no response"),
        (16, 11, True, "partial response"),
        (8, 12, True, "worse than at the start"),
        (0, 5, True, "no percentage from a start of 0"),
        (16, 8, True, "response, not remission"),
        (16, 12, False, "no response; the finer bands are not signed"),
    ],
)
def test_what_became_of_a_score(
    patient: Patient, prescriber: Staff, start: int, now: int, signed: bool, told: str
) -> None:
    if signed:
        sign(prescriber, "DEC-18")
    for key, total, at in (("a", start, NOON - 9 * DAY), ("b", now, NOON)):
        values = {f"q{n}": min(3, max(0, total - 3 * (n - 1))) for n in range(1, 10)}
        fill(patient, prescriber, key, at, answers=values)
        if key == "a":
            device(make_session(patient, prescriber, at + DAY), prescriber, at + DAY, 1)
    assert presenters.score_course(patient, NOON).words.outcome == told


def test_another_clinic_finds_nothing(client: Client, patient: Patient, nurse: Staff) -> None:
    alert = urgent(patient, nurse)
    client.force_login(make_staff(make_clinic(name="Other")).user)
    for path in (f"{patient.pk}/", f"{patient.pk}/answer/phq9/", f"form/{alert.answer_id}/", f"alert/{alert.pk}/"):
        assert client.get(f"/followup/{path}").status_code == 404


@pytest.mark.parametrize(
    ("number", "dial"),
    [
        ("+1 555 0199", "+15550199"),
        ("Dr on call: +49 (0)30 / 12-34", "+490301234"),
        ("988", "988"),
        ("ward 3: 555 0100, then 555 0199", ""),
        ("the porter", ""),
    ],
)
def test_a_number_in_the_clinics_own_words_is_dialled_where_it_is_the_only_one(number: str, dial: str) -> None:
    assert presenters.call("Your clinic", number).dial == dial
