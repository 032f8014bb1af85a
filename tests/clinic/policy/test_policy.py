"""Every rule can be read; the medical director alone signs, one by one or a whole room that was read."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client

from ketaclinic.audit.models import AuditEntry
from ketaclinic.cli.check_command import check_rules
from ketaclinic.people.models import Clinic, Staff
from ketaclinic.people.permissions import Role
from ketaclinic.policy import presenters
from ketaclinic.policy.actions import sign_policy, sign_room
from ketaclinic.policy.models import PolicySignature
from ketaclinic.policy.queries import (
    all_rules,
    rule_named,
    rule_sets,
    rules_line,
    setting_of,
    signatures_under,
    standing_rules,
    unsigned_policies,
)
from ketacore.consent import RULES as CONSENT
from ketacore.evidence import Refusal, Standing
from ketacore.planning import RULES as PLANNING
from tests.support.people import NOON, make_clinic, make_staff

LATER = NOON + timedelta(hours=1)


def test_every_room_with_rules_is_collected() -> None:
    assert {"consent", "planning"} <= set(rule_sets())
    assert ("planning", PLANNING["SPR-DOS-01"]) in all_rules()
    assert "evidence" not in rule_sets()


def test_a_rule_is_found_by_its_id() -> None:
    rooms, rule = rule_named("CON-13-RENEW")
    assert rooms == ("consent",)
    assert rule is CONSENT["CON-13-RENEW"]
    with pytest.raises(Http404):
        rule_named("NO-SUCH-01")


def test_a_policy_acts_from_the_signature_until_it_is_withdrawn(clinic: Clinic, prescriber: Staff) -> None:
    rule = CONSENT["CON-13-RENEW"]

    def stands(at) -> Standing:
        return next(r.standing for r in standing_rules(clinic, at) if r.rule.rule_id == rule.rule_id)

    assert stands(NOON) is Standing.UNSIGNED
    sign_policy(rule=rule, by=prescriber, at=NOON)
    assert stands(NOON) is Standing.ACTIVE
    sign_policy(rule=rule, by=prescriber, at=LATER, signed=False, reason="The interval is under review.")
    assert stands(LATER) is Standing.UNSIGNED
    assert stands(NOON) is Standing.ACTIVE, "the past is read as it was"
    assert [row.signed for row in signatures_under(clinic, rule, LATER)] == [False, True]
    assert AuditEntry.objects.filter(action="withdraw_policy", reason="The interval is under review.").exists()


def test_another_clinics_signature_has_no_effect_here(clinic: Clinic, prescriber: Staff) -> None:
    sign_policy(rule=CONSENT["CON-13-RENEW"], by=prescriber, at=NOON)
    assert setting_of(make_clinic(name="Other"), LATER).policies.approvals == ()


def test_only_the_medical_director_signs(clinic: Clinic) -> None:
    colleague = make_staff(clinic, Role.PRESCRIBER)
    with pytest.raises(PermissionDenied, match="medical director"):
        sign_policy(rule=CONSENT["CON-13-RENEW"], by=colleague, at=NOON)


def test_what_a_source_says_is_not_signed(prescriber: Staff) -> None:
    with pytest.raises(Refusal, match="not a clinic policy"):
        sign_policy(rule=PLANNING["SPR-DOS-01"], by=prescriber, at=NOON)


def test_a_withdrawal_needs_a_reason(prescriber: Staff) -> None:
    with pytest.raises(Refusal, match="no reason"):
        sign_policy(rule=CONSENT["CON-13-RENEW"], by=prescriber, at=NOON, signed=False, reason="  ")


def test_a_room_is_signed_as_it_was_shown(clinic: Clinic, prescriber: Staff) -> None:
    shown = [rule.rule_id for rule in unsigned_policies(clinic, NOON, "planning")]
    rows = sign_room(room="planning", rule_ids=shown, by=prescriber, at=NOON)
    assert {row.rule_id for row in rows} == set(shown)
    assert unsigned_policies(clinic, NOON, "planning") == ()


def test_a_room_that_changed_since_is_not_signed(clinic: Clinic, prescriber: Staff) -> None:
    shown = [rule.rule_id for rule in unsigned_policies(clinic, NOON, "planning")]
    with pytest.raises(Refusal, match="not those that were shown"):
        sign_room(room="planning", rule_ids=shown[1:], by=prescriber, at=NOON)
    assert not PolicySignature.objects.exists()
    with pytest.raises(Http404):
        unsigned_policies(clinic, NOON, "cellar")


def test_the_line_at_the_head_names_who_signed(clinic: Clinic, prescriber: Staff) -> None:
    assert str(rules_line(clinic, NOON)) == "Rules 2026.11, US, no clinic policy signed"
    sign_policy(rule=CONSENT["CON-13-RENEW"], by=prescriber, at=NOON)
    line = rules_line(clinic, NOON)
    assert str(line) == f"Rules 2026.11, US, signed by {prescriber} (1 of {line.policies} clinic policies)"
    for room in rule_sets():
        unsigned = [rule.rule_id for rule in unsigned_policies(clinic, LATER, room)]
        if unsigned:
            sign_room(room=room, rule_ids=unsigned, by=prescriber, at=LATER)
    assert str(rules_line(clinic, LATER)) == f"Rules 2026.11, US, signed by {prescriber}"


def test_the_list_shows_every_rule_with_its_standing(
    as_nurse: Client, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    with django_assert_max_num_queries(12):
        page = as_nurse.get("/policy/").content.decode()
    for _, rule in all_rules():
        assert f"/policy/rule/{rule.rule_id}/" in page
    assert "Waits for a signature" in page
    assert "Sign all of this room" not in page, "a nurse is offered no signature"


def test_the_list_can_be_narrowed(as_nurse: Client) -> None:
    page = as_nurse.get("/policy/", {"room": "planning", "grade": "D", "state": "unsigned"}).content.decode()
    assert "DEC-09" in page
    assert "SPR-DOS-01" not in page
    assert "CON-13-RENEW" not in page
    nothing = as_nurse.get("/policy/", {"grade": "D", "state": "active"}).content.decode()
    assert "No rule passes this filter" in nothing


def test_a_rule_opens_to_everything_it_rests_on(as_nurse: Client) -> None:
    page = as_nurse.get("/policy/rule/IVK-DOS-03/").content.decode()
    for told in ("Max mg per kg", "1", "Ketaclinic design decisions", "second signature", "IVK-DOS-15", "23 May 2027"):
        assert told in page
    assert as_nurse.get("/policy/rule/NO-SUCH-01/").status_code == 404


def test_the_director_signs_and_withdraws_on_the_page(as_prescriber: Client, clinic: Clinic) -> None:
    path = "/policy/rule/CON-13-RENEW/"
    assert "Sign this policy" in as_prescriber.get(path).content.decode()
    reply = as_prescriber.post(f"{path}sign/", {"do": "sign"}, follow=True)
    assert "is signed and acts from now on" in reply.content.decode()
    without = as_prescriber.post(f"{path}sign/", {"do": "withdraw", "reason": ""})
    assert without.status_code == 409
    assert "no reason was given" in without.content.decode()
    reply = as_prescriber.post(f"{path}sign/", {"do": "withdraw", "reason": "Too long."}, follow=True)
    assert "no longer acts" in reply.content.decode()
    assert "Too long." in reply.content.decode()
    assert PolicySignature.objects.of(clinic).count() == 2


def test_a_whole_room_is_signed_only_when_ticked_as_read(as_prescriber: Client, clinic: Clinic) -> None:
    shown = [rule.rule_id for rule in unsigned_policies(clinic, NOON, "consent")]
    path = "/policy/room/consent/sign/"
    assert as_prescriber.post(path, {"rule": shown}).status_code == 409
    assert not PolicySignature.objects.exists()
    reply = as_prescriber.post(path, {"rule": shown, "read": "yes"}, follow=True)
    assert f"Consent: {len(shown)} policies signed." in reply.content.decode()


def test_a_nurse_cannot_sign(as_nurse: Client) -> None:
    assert as_nurse.post("/policy/rule/CON-13-RENEW/sign/", {"do": "sign"}).status_code == 403
    assert as_nurse.post("/policy/room/consent/sign/", {"read": "yes"}).status_code == 403
    assert not PolicySignature.objects.exists()


def test_the_front_desk_does_not_read_clinical_rules(clinic: Clinic) -> None:
    desk = Client()
    desk.force_login(make_staff(clinic, Role.FRONT_DESK).user)
    assert desk.get("/policy/").status_code == 403


def test_the_page_and_the_check_count_the_same_rules(clinic: Clinic, prescriber: Staff) -> None:
    page = presenters.rules_page(clinic, prescriber, NOON, presenters.RuleFilter())
    counted = next(checked.says for checked in check_rules(NOON.date()))
    assert counted == f"{page.total} rules are complete"
    assert page.total == page.shown == sum(len(room.lines) for room in page.rooms)
    assert len({line.rule.rule_id for room in page.rooms for line in room.lines}) == page.total


def test_a_rule_that_does_not_act_is_called_not_in_force(as_nurse: Client, clinic: Clinic) -> None:
    stands = {row.standing: row.rule.rule_id for row in standing_rules(clinic, NOON)}
    for standing in (Standing.DISABLED, Standing.UNSIGNED):
        page = as_nurse.get(f"/policy/rule/{stands[standing]}/").content.decode()
        assert "ot in force" in page
        assert "could not be checked" not in page and "not evaluated" not in page
    listed = as_nurse.get("/policy/", {"state": "disabled"}).content.decode()
    assert "Not in force until checked" in listed and "could not be checked" not in listed


def test_days_are_written_as_people_write_them(as_nurse: Client) -> None:
    page = as_nurse.get("/policy/rule/SPR-DOS-02/").content.decode()
    assert re.search(r"from \d{1,2} [A-Z][a-z]{2} 20\d\d", page)
