"""The planning pages: a plan is chosen, previewed, signed, booked, changed, moved and ended on the page."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.planning.queries import active_plan
from ketaclinic.policy.actions import sign_room
from ketaclinic.policy.queries import unsigned_policies
from tests.clinic.planning.test_planning import booked, decide, signed, weigh
from tests.support.clock import Clock
from tests.support.people import NOON, make_clinic, make_patient, make_staff

NASAL: dict[str, Any] = {"protocol": "esketamine-trd-us", "dose": "84", "starts_on": "2026-11-25"}
INFUSION: dict[str, Any] = {"protocol": "ketamine-iv-clinic", "dose": "0.5", "starts_on": "2026-11-25"}
SERIES = {"starts_at": "09:00", "weeks": "4", "chair": "", "closed_weekdays": ["5", "6"], "closed_on": ""}


def words(reply: Any) -> str:
    return " ".join(reply.content.decode().split())


def page_of(patient: Patient) -> str:
    return f"/planning/{patient.pk}/"


def signed_in(role: Role, patient: Patient) -> Client:
    client = Client()
    client.force_login(make_staff(patient.clinic, role).user)
    return client


def test_without_a_decision_the_page_says_what_comes_first(as_prescriber: Client, patient: Patient) -> None:
    page = words(as_prescriber.get(page_of(patient), {"protocol": "esketamine-trd-us"}))
    assert "nobody has decided yet" in page
    reply = as_prescriber.post(page_of(patient) + "sign/", NASAL)
    assert reply.status_code == 409 and "nobody has decided yet" in words(reply)
    assert not Plan.objects.exists()


@pytest.mark.parametrize("days", [[], ["2", "4"]])
def test_the_choice_is_previewed_before_anything_is_signed(
    as_prescriber: Client, patient: Patient, prescriber: Staff, days: list[str]
) -> None:
    decide(patient, prescriber)
    page = words(as_prescriber.post(page_of(patient), {**NASAL, "weekdays": days}))
    assert "Session 1, Wed 25 Nov 2026" in page
    assert not Plan.objects.exists()


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"dose": "112", "reason": "x"}, "SPR-DOS-06"),
        ({"dose": "28"}, "SPR-DOS-02"),
        ({"starts_on": "2026-11-01"}, "lies in the past"),
        ({"weekdays": ["1", "4"]}, "not on one of the chosen weekdays"),
    ],
)
def test_what_the_rules_refuse_is_told_beside_what_was_typed(
    as_prescriber: Client, patient: Patient, prescriber: Staff, choice: dict[str, Any], told: str
) -> None:
    decide(patient, prescriber)
    reply = as_prescriber.post(page_of(patient) + "sign/", {**NASAL, "goals": "Back to the garden", **choice})
    page = words(reply)
    assert reply.status_code == 409 and told in page and "Back to the garden" in page
    assert not Plan.objects.exists()


@pytest.mark.parametrize("wrong", [{"dose": ""}, {"dose": "-1"}, {"dose": "much"}, {"starts_on": "31.12."}])
def test_what_cannot_be_read_is_marked_at_its_field(
    as_prescriber: Client, patient: Patient, prescriber: Staff, wrong: dict[str, str]
) -> None:
    decide(patient, prescriber)
    page = words(as_prescriber.post(page_of(patient) + "sign/", {**NASAL, **wrong}))
    assert "Not saved yet." in page
    assert not Plan.objects.exists()


def test_an_unknown_protocol_is_refused(as_prescriber: Client, patient: Patient, prescriber: Staff) -> None:
    decide(patient, prescriber)
    reply = as_prescriber.post(page_of(patient) + "sign/", {**NASAL, "protocol": "none"})
    assert reply.status_code == 409
    assert as_prescriber.get(page_of(patient), {"protocol": "none"}).status_code == 200


def test_a_plan_is_signed_booked_and_shown(as_prescriber: Client, patient: Patient, prescriber: Staff) -> None:
    decide(patient, prescriber)
    reply = as_prescriber.post(page_of(patient) + "sign/", NASAL, follow=True)
    assert "is signed" in words(reply)
    plan = active_plan(patient, NOON + timedelta(hours=1))
    assert plan is not None and plan.signed_by == prescriber
    path = f"/planning/plan/{plan.pk}/book/"
    assert 'aria-invalid="true"' in words(as_prescriber.post(path, {**SERIES, "weeks": "0"}))
    assert "is not a date" in words(as_prescriber.post(path, {**SERIES, "closed_on": "xmas"}))
    assert not Booking.objects.exists()
    closed = {**SERIES, "closed_on": "2026-12-01, 2026-12-02"}
    assert "sessions are booked" in words(as_prescriber.post(path, closed, follow=True))
    days = {b.starts_at.astimezone(patient.clinic.zone).date().isoformat() for b in Booking.objects.all()}
    assert days and not days & {"2026-12-01", "2026-12-02"}
    assert "booked already" in words(as_prescriber.post(path, closed, follow=True))


def test_a_day_without_a_free_chair_is_named(as_prescriber: Client, patient: Patient, prescriber: Staff) -> None:
    patient.clinic.chairs = 1
    patient.clinic.save()
    booked(patient, prescriber)
    for _ in range(8):
        plan = signed(make_patient(patient.clinic), prescriber)
        page = words(as_prescriber.post(f"/planning/plan/{plan.pk}/book/", {**SERIES, "chair": "1"}, follow=True))
    assert "No place was found for: Tue 24 Nov 2026, Fri 27 Nov 2026" in page


def test_an_infusion_is_planned_by_weight(as_prescriber: Client, patient: Patient, prescriber: Staff) -> None:
    decide(patient, prescriber, "ketamine-iv")
    rules = [rule.rule_id for rule in unsigned_policies(patient.clinic, NOON, "planning")]
    sign_room(room="planning", rule_ids=rules, by=prescriber, at=NOON)
    path = page_of(patient) + "sign/"
    reply = as_prescriber.post(path, INFUSION)
    assert reply.status_code == 409 and "weight" in words(reply)
    weigh(patient, prescriber, "80", NOON - timedelta(hours=2))
    assert "80 kg" in words(as_prescriber.post(page_of(patient), INFUSION))
    assert as_prescriber.post(path, {**INFUSION, "weight_confirmed": "on"}).status_code == 302
    page = words(as_prescriber.get(page_of(patient)))
    assert "0.5 mg/kg: 40" in page and "80 kg" in page


def test_a_plan_is_changed_with_a_reason_and_the_history_keeps_both(
    as_prescriber: Client, patient: Patient, prescriber: Staff
) -> None:
    plan = signed(patient, prescriber)
    path = f"/planning/plan/{plan.pk}/change/"
    change = {"dose": "56", "starts_on": "2026-11-24", "change_reason": "Long sedation."}
    assert 'aria-invalid="true"' in words(as_prescriber.post(path, {**change, "change_reason": ""}))
    assert as_prescriber.post(path, {**change, "dose": "140"}).status_code == 409
    page = words(as_prescriber.post(path, change, follow=True))
    assert "the earlier version is kept" in page
    assert "was 56 mg on day 1, then 84 mg" in page and "Long sedation." in page


def test_a_session_is_moved_and_the_plan_ended(as_prescriber: Client, patient: Patient, prescriber: Staff) -> None:
    rows = booked(patient, prescriber)
    path = f"/planning/booking/{rows[-1].pk}/"
    assert as_prescriber.get(path).status_code == 200
    assert 'aria-invalid="true"' in words(as_prescriber.post(path, {"day": ""}))
    move = {"day": "2026-12-23", "time": "10:30", "chair": "2", "reason": "Works that morning."}
    assert as_prescriber.post(path, {**move, "day": "2026-01-01"}).status_code == 409
    page = words(as_prescriber.post(path, move, follow=True))
    assert f"Session {rows[-1].number} is moved" in page and "Works that morning." in page
    plan = rows[0].plan
    assert 'aria-invalid="true"' in words(as_prescriber.post(f"/planning/plan/{plan.pk}/end/", {}))
    end = {"why": "no_benefit", "reason": "No change after four weeks."}
    page = words(as_prescriber.post(f"/planning/plan/{plan.pk}/end/", end, follow=True))
    assert "The plan has ended" in page and "No change after four weeks." in page
    assert active_plan(patient, NOON + timedelta(hours=1)) is None


def test_a_session_to_come_is_cancelled_and_a_past_one_missed(
    as_prescriber: Client, patient: Patient, prescriber: Staff, clock: Clock
) -> None:
    rows = booked(patient, prescriber)
    path = f"/planning/booking/{rows[1].pk}/cancel/"
    assert as_prescriber.post(path, {"reason": ""}).status_code == 409
    assert "cancelled" in words(as_prescriber.post(path, {"reason": "Has a cold."}, follow=True))
    clock.pass_days(2)
    missed = as_prescriber.post(f"/planning/booking/{rows[0].pk}/cancel/", {"reason": "Did not come."}, follow=True)
    assert "recorded as missed" in words(missed)


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.NURSE])
def test_who_may_not_sign_sees_no_form_and_is_kept_out(patient: Patient, prescriber: Staff, role: Role) -> None:
    decide(patient, prescriber)
    client = signed_in(role, patient)
    assert client.get(page_of(patient)).status_code == 200
    assert client.post(page_of(patient) + "sign/", NASAL).status_code == 403
    assert not Plan.objects.exists()


def test_plans_and_sessions_of_another_clinic_are_not_found(patient: Patient, prescriber: Staff) -> None:
    rows = booked(patient, prescriber)
    stranger = Client()
    stranger.force_login(make_staff(make_clinic(name="Elsewhere"), Role.PRESCRIBER).user)
    for path in (f"plan/{rows[0].plan_id}/change/", f"plan/{rows[0].plan_id}/end/", f"plan/{rows[0].plan_id}/book/"):
        assert stranger.post(f"/planning/{path}", {}).status_code == 404
    assert stranger.get(f"/planning/booking/{rows[0].pk}/").status_code == 404
    assert stranger.post(f"/planning/booking/{rows[0].pk}/cancel/", {"reason": "x"}).status_code == 404
    assert Booking.objects.filter(pk=rows[0].pk, amended_by=None).exists()


def test_two_doses_are_drawn_side_by_side(as_prescriber: Client, patient: Patient, prescriber: Staff) -> None:
    decide(patient, prescriber)
    page = words(as_prescriber.post(page_of(patient), NASAL))
    assert "84 mg: the most esketamine in the blood" in page and "56 mg: the most esketamine in the blood" in page
    assert "g-edge other" in page and "It explains, it does not order" in page
    page = words(as_prescriber.post(page_of(patient), {**NASAL, "beside": "28"}))
    assert "28 mg: the most" in page and "56 mg: the most" not in page
    assert re.findall(r'name="dose" value="([^"]+)" checked', page) == ["84"]  # what is compared fills nothing in
    assert not Plan.objects.exists()


def test_an_infusion_is_drawn_beside_a_spray(as_prescriber: Client, patient: Patient, prescriber: Staff) -> None:
    decide(patient, prescriber)
    other = {**NASAL, "beside_protocol": "ketamine-iv-clinic"}
    page = words(as_prescriber.post(page_of(patient), other))
    assert "0.5 mg/kg is not drawn: no weight is on record." in page and "84 mg: the most esketamine" in page
    weigh(patient, prescriber, "70", NOON)
    page = words(as_prescriber.post(page_of(patient), other))
    assert "84 mg: the most esketamine" in page and "0.5 mg/kg over 40 min: the most ketamine" in page
    assert "The two are not one drug" in page and "Neither band says which works better." in page
    assert "The first band is nine of ten people of perez-ruixo-2021" in page and "the second the span of 4" in page
    assert '<option value="ketamine-iv-clinic" selected>' in page
    back = words(as_prescriber.post(page_of(patient), {**INFUSION, "beside_protocol": NASAL["protocol"]}))
    assert "0.5 mg/kg over 40 min: the most ketamine" in back and "56 mg: the most esketamine" in back


def test_a_protocol_nobody_knows_is_not_compared_with(
    as_prescriber: Client, patient: Patient, prescriber: Staff
) -> None:
    decide(patient, prescriber)
    page = words(as_prescriber.post(page_of(patient), {**NASAL, "beside_protocol": "potion"}))
    assert "Select a valid choice" in page and "the most esketamine" not in page


def test_a_dose_far_outside_is_not_drawn(as_prescriber: Client, patient: Patient, prescriber: Staff) -> None:
    decide(patient, prescriber)
    page = words(as_prescriber.post(page_of(patient), {**NASAL, "beside": "999"}))
    assert "999 mg is not drawn: it is far outside what this protocol gives." in page
    assert "84 mg: the most" in page and "999 mg: the most" not in page


def test_a_dose_by_weight_is_expected_only_with_a_weight(
    as_prescriber: Client, patient: Patient, prescriber: Staff
) -> None:
    assert "Nothing is drawn: no weight is on record." in words(as_prescriber.post(page_of(patient), INFUSION))
    weigh(patient, prescriber, "70", NOON)
    page = words(as_prescriber.post(page_of(patient), {**INFUSION, "beside": "1"}))
    assert "0.5 mg/kg over 40 min: the most ketamine" in page and "1 mg/kg over 40 min" in page


def test_nothing_to_compare_with_leaves_the_plan_and_its_own_course_alone(
    as_prescriber: Client, patient: Patient, prescriber: Staff
) -> None:
    decide(patient, prescriber)
    page = words(as_prescriber.post(page_of(patient), {**NASAL, "beside": "0"}))
    assert "Session 1, Wed 25 Nov 2026" in page and "84 mg: the most" in page and "0 mg: the most" not in page
