"""What is due: the grid of both routes, done, late, missed and repeated."""

from __future__ import annotations

from ketacore.treatment import INFUSION, Due, DueState, What, checks, dosing_ends, what_is_due
from ketacore.treatment.rules import RULES
from tests.core.treatment.course import (
    IV_GATE,
    NASAL_GATE,
    bp,
    but,
    devices,
    ev,
    infusion,
    infusion_ready,
    minute,
    nasal,
    plus,
    seen,
    setting,
    start_infusion,
)

OBSERVED = nasal(*NASAL_GATE, *devices(0, 5))
RUNNING = infusion(*IV_GATE, start_infusion())


def of(points: tuple[Due, ...], what: What) -> list[Due]:
    return [p for p in points if p.what is what]


def test_nothing_is_due_before_the_first_dose_and_after_leaving() -> None:
    assert checks(nasal(*NASAL_GATE), minute(0), setting()) == ()
    assert checks(infusion(*infusion_ready(), ev(105, "discharged")), minute(106), setting(INFUSION)) == ()


def test_the_next_device_is_due_five_minutes_after_the_one_before() -> None:
    facts = nasal(*NASAL_GATE, *devices(0), dose_mg=84)
    found = of(what_is_due(facts, minute(2), setting()), What.DEVICE)
    assert [(d.title, d.due_at) for d in found] == [("Device 2 of 3", minute(5)), ("Device 3 of 3", minute(10))]
    assert found[0].minutes_left(minute(2)) == 3 and found[0].minutes_left(minute(7)) == -2
    assert found[0].state(minute(2)) is DueState.LATER and found[0].state(minute(60)) is DueState.NOW
    early = plus(facts, ev(6, "dosing_ended", reason="nausea"))
    assert [d.state(minute(7)) for d in of(checks(early, minute(7), setting()), What.DEVICE)] == [DueState.DONE]


def test_dosing_ends_as_it_will_if_nothing_delays_it() -> None:
    assert dosing_ends(nasal(*NASAL_GATE, *devices(0), dose_mg=84), minute(2)) == minute(10)
    assert dosing_ends(RUNNING, minute(2)) == minute(40)
    assert dosing_ends(plus(RUNNING, ev(10, "infusion_pause")), minute(12)) == minute(40)
    assert dosing_ends(infusion(*IV_GATE), minute(0)) is None


def test_the_nasal_grid_is_done_late_or_missed_and_goes_on_until_the_way_home() -> None:
    facts = plus(OBSERVED, bp(60, 140, 85), *seen(45))
    points = of(checks(facts, minute(150), setting()), What.BLOOD_PRESSURE)
    assert [p.due_at for p in points[:4]] == [minute(45), minute(95), minute(125), minute(155)]
    assert points[0].state(minute(150)) is DueState.DONE and points[0].late
    assert points[1].state(minute(150)) is DueState.MISSED and not points[1].late
    watched = of(checks(facts, minute(150), setting()), What.SEDATION)[0]
    assert watched.title == "Sedation and dissociation, 40 min after the last device" and not watched.late


def test_without_signed_policies_the_label_alone_asks() -> None:
    bare = setting(signed=())
    (point,) = of(checks(OBSERVED, minute(20), bare), What.BLOOD_PRESSURE)
    assert (point.rule.rule_id, point.due_at, point.closes_at) == ("SPR-MON-02", minute(45), None)
    assert of(checks(OBSERVED, minute(20), bare), What.SATURATION) == []
    assert of(checks(RUNNING, minute(20), setting(INFUSION, signed=but("IVK-MON-01-D"))), What.BLOOD_PRESSURE) == []


def test_an_infusion_is_watched_every_ten_minutes_and_after_its_end() -> None:
    points = of(checks(RUNNING, minute(5), setting(INFUSION)), What.BLOOD_PRESSURE)
    assert [p.due_at for p in points] == [minute(m) for m in (0, 10, 20, 30, 40, 55, 70, 85, 100)]
    assert points[1].title == "Blood pressure and heart rate, minute 10"
    (ends,) = of(checks(RUNNING, minute(5), setting(INFUSION)), What.INFUSION_END)
    assert (ends.due_at, ends.rule) == (minute(40), RULES["IVK-MON-01-D"])


def test_saturation_is_due_fifteen_minutes_after_the_last() -> None:
    facts = plus(OBSERVED, ev(20, "vitals", oxygen_saturation=97))
    (point,) = of(what_is_due(facts, minute(25), setting()), What.SATURATION)
    assert point.due_at == minute(35) and point.overdue(minute(36))


def test_the_way_out_is_on_the_axis_until_it_opens() -> None:
    (nasal_way,) = of(checks(OBSERVED, minute(20), setting()), What.LEAVE)
    ended = infusion(*infusion_ready())
    (iv_way,) = of(checks(ended, minute(50), setting(INFUSION)), What.LEAVE)
    assert (nasal_way.due_at, nasal_way.rule.rule_id) == (minute(125), "SPR-MON-01")
    assert (iv_way.due_at, iv_way.rule.rule_id) == (minute(100), "DIS-05-TIME")
    assert of(checks(OBSERVED, minute(125), setting()), What.LEAVE) == []
