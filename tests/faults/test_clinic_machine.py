"""Two clinics, everybody who works there, crashes in the middle: whatever order things happen in, the record holds.

Hypothesis draws deeds of any person on any object at any moment, of the right clinic or the wrong one, broken off in
the middle of their writes or not, and sent again. After each of them everything that must hold is looked at.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models.signals import post_save
from hypothesis import HealthCheck, settings
from hypothesis import Phase as Phase_
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ketaclinic.audit.models import AppendOnly, AuditEntry
from ketaclinic.consent.actions import withdraw_consent
from ketaclinic.consent.models import ConsentSignature, ConsentWithdrawal
from ketaclinic.followup.actions import acknowledge_alert, close_alert, record_answers
from ketaclinic.followup.models import Alert
from ketaclinic.maintenance.actions import answer_proposal
from ketaclinic.people.actions import change_staff, name_caregiver, register_patient
from ketaclinic.people.models import Clinic, Patient, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.planning.actions import book_series, cancel_booking, end_plan
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.screening.actions import record_answer
from ketaclinic.surveillance.actions import record_screen
from ketaclinic.treatment import actions as treating
from ketaclinic.treatment.actions import enrol_in_rems
from ketaclinic.treatment.facts import facts_of
from ketaclinic.treatment.models import Session, SessionEvent
from ketacore.evidence import Refusal
from ketacore.treatment.phases import Phase, phase
from tests.clinic.treatment.whole import EXPIRES, OPENED, asked, ready_plan, sign_everything
from tests.support.figures import write_figures
from tests.support.people import NOON, make_clinic, make_patient, make_staff

EXAMPLES = int(os.environ.get("KETACLINIC_MACHINE_EXAMPLES", "12"))
STEPS = int(os.environ.get("KETACLINIC_MACHINE_STEPS", "25"))
OURS = [m for m in apps.get_models() if m.__module__.startswith("ketaclinic.")]
ADDED = [m for m in OURS if issubclass(m, AppendOnly)]
ENDED = (Phase.LEFT, Phase.STOPPED)
COUNTED: Counter[str] = Counter()
DONE: Counter[str] = Counter()

Rows = dict[str, dict[int, tuple[Any, ...]]]


class Crash(Exception):
    """The process ends here."""


@contextmanager
def crash_after(writes: int | None) -> Iterator[None]:
    """End whatever runs when it has saved so many rows; ``None`` lets it run."""
    left = [writes]

    def count(sender: type[models.Model], **_: Any) -> None:
        if left[0] is not None and sender.__module__.startswith("ketaclinic."):
            left[0] -= 1
            if left[0] < 0:
                raise Crash

    post_save.connect(count, weak=False, dispatch_uid="crash")
    try:
        yield
    finally:
        post_save.disconnect(dispatch_uid="crash")


def rows_now() -> Rows:
    """Return every row of every room."""
    return {
        m._meta.label: {row[0]: row for row in m._base_manager.order_by("pk").values_list("pk", *columns_of(m))}
        for m in OURS
    }


def columns_of(model: type[models.Model]) -> list[str]:
    return [f.attname for f in model._meta.concrete_fields if not f.primary_key]


def of_clinic(rows: Rows, clinic: int) -> Rows:
    """Return the rows of one clinic; what names no clinic (users, the parts of its objects) is looked at elsewhere."""
    found: Rows = {}
    for model in OURS:
        columns = ["pk", *columns_of(model)]
        if "clinic_id" in columns:
            place = columns.index("clinic_id")
            found[model._meta.label] = {pk: r for pk, r in rows[model._meta.label].items() if r[place] == clinic}
    return found


class ClinicMachine(RuleBasedStateMachine):
    """The two clinics, from the morning of the first session on."""

    clinics: list[Clinic]
    staff: dict[int, dict[str, Staff]]

    def __init__(self) -> None:
        super().__init__()
        self.point = transaction.atomic()
        self.point.__enter__()
        self.at = OPENED
        self.keys = 0
        self.before = self.now = rows_now()
        COUNTED["runs"] += 1

    def teardown(self) -> None:
        """Leave nothing to the next run."""
        transaction.set_rollback(True)
        self.point.__exit__(None, None, None)

    # ---- how anything is done ---------------------------------------------------------------------------------------

    def person(self, data: st.DataObject, row: Any = None) -> Staff:
        """Draw who acts, as the database knows them now: mostly who may, sometimes anybody, here or elsewhere."""
        home, other = (c.pk for c in self.clinics)
        if row is not None and row.clinic_id == other:
            home, other = other, home
        place = other if data.draw(st.integers(0, 6), "from elsewhere at 6") == 6 else home
        role = data.draw(st.sampled_from([Role.PRESCRIBER] * 5 + [Role.NURSE] * 3 + list(Role)), "role")
        return Staff.objects.select_related("clinic", "user").get(pk=self.staff[place][role].pk)

    def any_of(self, data: st.DataObject, model: type[models.Model], **which: Any) -> Any:
        """Draw any row there is, of either clinic, the newest first, or none where there is none."""
        keys = list(model._default_manager.filter(**which).order_by("-pk").values_list("pk", flat=True)[:12])
        return model._default_manager.get(pk=data.draw(st.sampled_from(keys), model.__name__)) if keys else None

    def do(self, data: st.DataObject, name: str, by: Staff, row: Any, deed: Callable[[str], Any]) -> Any:
        """Try a deed: perhaps broken off and sent again under its key; nothing half-written may be left."""
        if row is None:
            return None
        self.keys += 1
        key = f"machine-{self.keys}"
        crash = data.draw(st.sampled_from([None, None, None, None, 0, 1, 2]), "crash after")
        if crash is not None:
            self._broken_off(crash, deed, key)
        result = self._once(name, by, row, deed, key)
        if result is not None and data.draw(st.booleans(), "send again"):
            self._again(deed, key, result)
        COUNTED["steps"] += 1
        return result

    def _broken_off(self, writes: int, deed: Callable[[str], Any], key: str) -> None:
        try:
            with transaction.atomic(), crash_after(writes):
                deed(key)
                raise Crash
        except (Crash, Refusal, PermissionDenied):
            COUNTED["crashes"] += 1
        assert rows_now() == self.now, "a crash left something half-written"

    def _once(self, name: str, by: Staff, row: Any, deed: Callable[[str], Any], key: str) -> Any:
        before = self.now
        strange = getattr(row, "clinic_id", by.clinic_id) != by.clinic_id
        try:
            with transaction.atomic():
                result = deed(key)
        except (Refusal, PermissionDenied):
            after = self.now = rows_now()
            changed = [label for label in before if before[label] != after[label] and label != AuditEntry._meta.label]
            assert changed == [], f"{name} was refused and changed {changed}"
            COUNTED["refused"] += 1
            return None
        assert not strange, f"{name}: {by} of clinic {by.clinic_id} reached {row!r} of clinic {row.clinic_id}"
        assert by.is_active, f"{name}: {by} may not sign in any more"
        after = self.now = rows_now()
        other = next(c.pk for c in self.clinics if c.pk != by.clinic_id)
        assert of_clinic(before, other) == of_clinic(after, other), f"{name} changed the other clinic"
        fresh = [m for m in ADDED if m is not AuditEntry and len(after[m._meta.label]) > len(before[m._meta.label])]
        written, told = (len(of_clinic(rows, by.clinic_id)[AuditEntry._meta.label]) for rows in (before, after))
        assert not fresh or told > written, f"{name} wrote {fresh} and no audit entry"
        DONE[name] += 1
        return result

    def _again(self, deed: Callable[[str], Any], key: str, first: Any) -> None:
        try:
            with transaction.atomic():
                second = deed(key)
        except (Refusal, PermissionDenied):
            second = None
        stored, self.now = self.now, rows_now()
        if isinstance(first, SessionEvent | Session) and second is not None:
            assert second.pk == first.pk, "the same entry again is the same row"
            for model in (m._meta.label for m in ADDED if m is not AuditEntry):
                assert len(self.now[model]) == len(stored[model]), f"the same entry again wrote another {model}"
        COUNTED["sent again"] += 1

    # ---- what people do -------------------------------------------------------------------------------------------

    @rule(minutes=st.sampled_from([1, 5, 15, 40, 90]))
    def time_passes(self, minutes: int) -> None:
        """Wait."""
        self.at += timedelta(minutes=minutes)

    @rule(data=st.data())
    def register(self, data: st.DataObject) -> None:
        """Take somebody in, and name who looks after them."""
        by = self.person(data)
        fields = {"given_name": "Zeisina", "family_name": f"Zeisig{self.keys + 500}von{by.clinic_id}"}
        deed: Callable[[str], Any] = lambda _: register_patient(by=by, at=self.at, birth_date=OPENED.date(), **fields)  # noqa: E731
        patient = self.do(data, "register", by, by, deed)
        if patient is not None:
            give: Callable[[str], Any] = lambda _: name_caregiver(patient=patient, by=by, at=self.at, name="Girlitz")  # noqa: E731
            self.do(data, "name a caregiver", by, patient, give)

    @rule(data=st.data(), answer=st.sampled_from(["yes", "no", "not_known"]))
    def history(self, data: st.DataObject, answer: str) -> None:
        """Answer a question of the history."""
        patient = self.any_of(data, Patient)
        by = self.person(data, patient)
        fact = data.draw(st.sampled_from(["pregnant", "aneurysm", "psychosis"]))
        deed: Callable[[str], Any] = lambda _: record_answer(  # noqa: E731
            patient=patient, by=by, at=self.at, question=fact, answer=answer
        )
        self.do(data, "answer", by, patient, deed)

    @rule(data=st.data())
    def agree_and_plan(self, data: st.DataObject) -> None:
        """Consent, decision and plan, by the clinic's own actions."""
        patient = self.any_of(data, Patient, plans__isnull=True)
        if patient is not None:
            director = self.staff[patient.clinic_id][Role.PRESCRIBER]
            self.do(data, "plan", director, patient, lambda _: ready_plan(patient, director))

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """Take consent back."""
        signed = self.any_of(data, ConsentSignature)
        by = self.person(data, signed)
        deed: Callable[[str], Any] = lambda _: withdraw_consent(  # noqa: E731
            patient=signed.patient, product=signed.product, by=by, at=self.at, said="No more."
        )
        self.do(data, "withdraw", by, signed, deed)

    @rule(data=st.data())
    def book(self, data: st.DataObject) -> None:
        """Book the series of a plan, or cancel one of its sessions."""
        plan, booking = self.any_of(data, Plan), self.any_of(data, Booking)
        by = self.person(data, plan)
        if booking is not None and data.draw(st.booleans(), "cancel"):
            self.do(
                data, "cancel", by, booking, lambda _: cancel_booking(booking=booking, reason="x", by=by, at=self.at)
            )
            return
        start = (OPENED - timedelta(hours=5)).time()
        self.do(data, "book", by, plan, lambda _: book_series(plan=plan, by=by, at=self.at, starts_at=start, weeks=2))

    @rule(data=st.data(), chair=st.integers(0, 3))
    def open(self, data: st.DataObject, chair: int) -> None:
        """Open a session."""
        plan = self.any_of(data, Plan)
        by = self.person(data, plan)

        deed: Callable[[str], Any] = lambda key: treating.open_session(  # noqa: E731
            patient=plan.patient, plan=plan, by=by, at=self.at, chair=chair, entry_key=key, weight_confirmed=True
        )
        self.do(data, "open", by, plan, deed)

    @rule(data=st.data(), upper=st.sampled_from([118, 128, 138, 150, 190]))
    def prepare(self, data: st.DataObject, upper: int) -> None:
        """Everything before the dose: arrived, asked, measured."""
        session = self.any_of(data, Session)
        by = self.person(data, session)

        def deed(_: str) -> SessionEvent:
            treating.arrive(session=session, by=by, at=self.at)
            asked(session, by, "start", self.at)
            return treating.record_vitals(
                session=session, by=by, at=self.at, systolic=upper, diastolic=80, heart_rate=70, oxygen_saturation=98
            )

        self.do(data, "prepare", by, session, deed)

    @rule(data=st.data(), number=st.integers(1, 4))
    def device(self, data: st.DataObject, number: int) -> None:
        """Give a device of the spray."""
        session = self.any_of(data, Session)
        by = self.person(data, session)
        deed: Callable[[str], Any] = lambda key: treating.give_device(  # noqa: E731
            session=session, number=number, lot="SYN-1", expires_on=EXPIRES, by=by, at=self.at, entry_key=key
        )
        self.do(data, "device", by, session, deed)

    @rule(data=st.data(), upper=st.integers(80, 210))
    def measure(self, data: st.DataObject, upper: int) -> None:
        """Measure; perhaps correct it, perhaps take it back."""
        session = self.any_of(data, Session)
        by = self.person(data, session)
        deed: Callable[[str], Any] = lambda key: treating.record_vitals(  # noqa: E731
            session=session, by=by, at=self.at, entry_key=key, systolic=upper, diastolic=70
        )
        row = self.do(data, "measure", by, session, deed)
        who = self.person(data, row)
        if row is not None and data.draw(st.booleans(), "correct"):
            changed: Callable[[str], Any] = lambda key: treating.amend_event(  # noqa: E731
                event=row,
                by=who,
                at=self.at,
                reason="Misread.",
                payload={**row.payload, "systolic": 121},
                entry_key=key,
            )
            self.do(data, "amend", who, row, changed)
        elif row is not None:
            self.do(
                data,
                "undo",
                who,
                session,
                lambda k: treating.undo_last(session=session, by=who, at=self.at, entry_key=k),
            )

    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        """End a session early, or sign somebody out as well; what the gate asks for may be missing."""
        session = self.any_of(data, Session)
        by = self.person(data, session)
        early: Callable[[str], Any] = lambda key: treating.stop_session(  # noqa: E731
            session=session, outcome="not_started", reason="Felt ill.", by=by, at=self.at, entry_key=key
        )
        leave: Callable[[str], Any] = lambda key: treating.discharge(  # noqa: E731
            session=session, by=by, at=self.at, entry_key=key
        )
        name, deed = data.draw(st.sampled_from([("stop", early), ("discharge", leave)]), "how")
        self.do(data, name, by, session, deed)

    @rule(data=st.data(), last=st.integers(0, 3))
    def score(self, data: st.DataObject, last: int) -> None:
        """Fill in a PHQ-9; the last answer may raise an alert."""
        patient = self.any_of(data, Patient)
        by = self.person(data, patient)
        answers = {f"q{n}": 1 for n in range(1, 9)} | {"q9": last}
        deed: Callable[[str], Any] = lambda key: record_answers(  # noqa: E731
            patient=patient, instrument="phq9", answers=answers, entry_key=key, by=by, at=self.at
        )
        self.do(data, "score", by, patient, deed)

    @rule(data=st.data())
    def alert(self, data: st.DataObject) -> None:
        """Take an alert, or close it."""
        alert = self.any_of(data, Alert)
        by = self.person(data, alert)
        if data.draw(st.booleans(), "close"):
            deed: Callable[[str], Any] = lambda _: close_alert(  # noqa: E731
                alert=alert, outcome="assessed", note="Spoke.", by=by, at=self.at
            )
            self.do(data, "close an alert", by, alert, deed)
        else:
            self.do(data, "take an alert", by, alert, lambda _: acknowledge_alert(alert=alert, by=by, at=self.at))

    @rule(data=st.data())
    def follow(self, data: st.DataObject) -> None:
        """A long-term screen, an answer to the proposal, the end of a plan."""
        patient, plan = self.any_of(data, Patient), self.any_of(data, Plan)
        by = self.person(data, plan)
        screen: Callable[[str], Any] = lambda key: record_screen(  # noqa: E731
            patient=patient, kind="bladder", result="nothing_found", entry_key=key, by=by, at=self.at
        )
        answer: Callable[[str], Any] = lambda _: answer_proposal(  # noqa: E731
            patient=plan.patient, answer="stop", reason="Well.", by=by, at=self.at
        )
        end: Callable[[str], Any] = lambda _: end_plan(plan=plan, why="other", reason="x", by=by, at=self.at)  # noqa: E731
        choice = data.draw(st.sampled_from(["screen", "screen", "answer", "end"]), "what")
        deeds = {"screen": (patient, screen), "answer": (plan, answer), "end": (plan, end)}
        self.do(data, choice, by, *deeds[choice])

    @rule(data=st.data(), active=st.booleans())
    def off_board(self, data: st.DataObject, active: bool) -> None:
        """Close or open somebody's sign-in."""
        member = self.any_of(data, Staff, role=Role.NURSE)
        by = self.person(data, member)
        deed: Callable[[str], Any] = lambda _: change_staff(member=member, by=by, at=self.at, is_active=active)  # noqa: E731
        self.do(data, "change staff", by, member, deed)

    # ---- what must hold -------------------------------------------------------------------------------------------

    @invariant()
    def nothing_written_was_changed(self) -> None:
        """Rows that are only added to stay as they are, and grow only."""
        now = self.now
        for model in ADDED:
            label = model._meta.label
            earlier = self.before[label]
            assert {pk: now[label].get(pk) for pk in earlier} == earlier, f"{label} was changed"
        self.before = now

    @invariant()
    def no_session_is_double(self) -> None:
        """One session a chair and a patient at a time; one for each booking."""
        going = [s for s in Session.objects.all() if phase(facts_of(s, self.at), self.at) not in ENDED]
        for of in (lambda s: (s.clinic_id, s.chair), lambda s: s.patient_id):
            assert len({of(s) for s in going}) == len(going), [str(s) for s in going]
        booked = [s.booking_id for s in Session.objects.filter(booking__isnull=False)]
        assert len(set(booked)) == len(booked)

    @invariant()
    def sessions_stand_on_consent_and_plan(self) -> None:
        """Every dose was given under a consent that stood at that moment; never more devices than were ordered."""
        for session in Session.objects.select_related("plan"):
            assert session.plan.patient_id == session.patient_id and session.plan.clinic_id == session.clinic_id
            given = SessionEvent.objects.filter(session=session, kind="device").standing()
            assert given.count() <= int(session.dose_mg / 28), "more devices than ordered"
            for row in given:
                of = {"patient_id": session.patient_id, "product": session.product, "at__lte": row.at}
                signed = ConsentSignature.objects.filter(**of).order_by("at").last()
                assert signed is not None, "a dose without consent"
                taken_back = ConsentWithdrawal.objects.filter(**of, at__gt=signed.at, recorded_at__lt=row.recorded_at)
                assert not taken_back.exists(), "a dose after consent was taken back"


@pytest.fixture
def world(db: None) -> None:
    """Two clinics as every run finds them; each run is taken back as a whole."""
    ClinicMachine.clinics = [make_clinic(chairs=3), make_clinic(name="Another Synthetic Clinic", chairs=3)]
    ClinicMachine.staff = {}
    for clinic in ClinicMachine.clinics:
        people = {role: make_staff(clinic, role, is_medical_director=role is Role.PRESCRIBER) for role in Role}
        ClinicMachine.staff[clinic.pk] = people
        sign_everything(people[Role.PRESCRIBER])
        for planned in (True, True, False):
            patient = make_patient(clinic)
            enrol_in_rems(patient=patient, by=people[Role.NURSE], at=NOON, enrolled_on=NOON.date())
            if planned:
                ready_plan(patient, people[Role.PRESCRIBER])


def test_whatever_happens_the_record_holds(world: None) -> None:
    bounded = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        phases=[Phase_.explicit, Phase_.generate, Phase_.shrink],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(ClinicMachine, settings=bounded)
    assert COUNTED["steps"] > EXAMPLES and COUNTED["refused"] and COUNTED["crashes"] and NOON < OPENED
    assert len(DONE) >= 8, f"too little of what people do was done: {dict(DONE)}"
    write_figures(
        "state-machine", {**COUNTED, "deeds of different kinds done": len(DONE), "deeds done": sum(DONE.values())}
    )
