"""What is taken from a bundle, what is left and why, and what is refused as a whole."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ketaclinic.interfaces.fhir.incoming import (
    Incoming,
    IncomingRow,
    Limits,
    Unreadable,
    models,
    parse_bundle,
    read_document,
)
from ketaclinic.interfaces.fhir.incoming.clinical import ingredient_of
from ketaclinic.interfaces.fhir.incoming.codes import _TABLES, VITAL_SIGNS, loinc_check_digit_ok
from ketaclinic.interfaces.fhir.incoming.values import When, when
from tests.interfaces.fhir.bundles import (
    ALL,
    ALLERGY,
    CONDITION,
    MEDICATION,
    PATIENT,
    PRESSURE,
    PROCEDURE,
    as_bytes,
    bundle,
    changed,
    measured,
)

REQUEST = {
    "resourceType": "MedicationRequest",
    "id": "r1",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"text": "Sertraline 50 MG Oral Tablet"},
    "subject": {"reference": "urn:uuid:p1"},
    "authoredOn": "2024-01-02",
}
LIMIT = {"value": 70, "system": "http://unitsofmeasure.org", "code": "kg"}


def parse(*resources: dict[str, Any], **fields: Any) -> Incoming:
    return parse_bundle(read_document(as_bytes(bundle(*resources, **fields)), Limits()))


def only(*resources: dict[str, Any]) -> IncomingRow:
    (row,) = parse(*resources).rows
    return row


def why_left(*resources: dict[str, Any]) -> str:
    incoming = parse(*resources)
    assert not incoming.rows
    return incoming.left[-1].reason


def test_one_of_each() -> None:
    incoming = parse(*ALL)
    assert [row.model for row in incoming.rows] == ["Problem", "Medication", "Allergy", "VitalSign", "Procedure"]
    assert not incoming.left
    assert incoming.patient.birth_date == date(1984, 3, 14) and incoming.patient.synthetic
    assert incoming.patient.identifiers == (("urn:test:ehr", "4711"),)


def test_a_condition() -> None:
    row = only(changed(CONDITION, abatementDateTime="2020-01"))
    assert row.fields["onset_on"] == date(2019, 5, 2) and row.fields["abated_on"] == date(2020, 1, 1)
    assert row.fields["status"] == "active" and row.fields["code"] == "370143000"


def test_a_condition_nobody_confirmed_says_so() -> None:
    row = only(changed(CONDITION, verificationStatus={"coding": [{"code": "provisional"}]}))
    assert row.fields["display"] == "Major depression (provisional)"


def test_a_medication_with_its_period() -> None:
    fields = only(MEDICATION).fields
    assert fields["ingredient"] == "sertraline" and fields["dose_text"] == "one in the morning"
    assert (fields["started_on"], fields["ended_on"]) == (date(2024, 1, 2), date(2024, 6, 1))


def test_a_medication_that_was_ordered() -> None:
    assert only(REQUEST).fields["started_on"] == date(2024, 1, 2)
    period = {"validityPeriod": {"start": "2024-02-01", "end": "2024-03-01"}}
    fields = only(changed(REQUEST, dispenseRequest=period)).fields
    assert (fields["started_on"], fields["ended_on"]) == (date(2024, 2, 1), date(2024, 3, 1))


def test_another_contained_resource_is_no_medication() -> None:
    inside = {"resourceType": "Medication", "id": "other", "code": {"text": "Lithium"}}
    named = changed(
        MEDICATION, medicationCodeableConcept=None, medicationReference={"reference": "#d1"}, contained=[inside]
    )
    assert "names no medication" in why_left(named)


def test_a_measurement_with_a_period() -> None:
    row = only(changed(PRESSURE, effectiveDateTime=None, effectivePeriod={"start": "2026-10-01T09:00:00Z"}))
    assert row.when == When(date(2026, 10, 1), datetime(2026, 10, 1, 9, tzinfo=UTC))


def test_another_component_does_no_harm() -> None:
    pulse = {"code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}}
    assert only(changed(PRESSURE, component=[*PRESSURE["component"], pulse])).fields["value"] == 128


def test_a_medication_named_by_reference() -> None:
    drug = {"resourceType": "Medication", "id": "d1", "code": {"text": "Lithium carbonate 300 MG Oral Capsule"}}
    named = changed(MEDICATION, medicationCodeableConcept=None, medicationReference={"reference": "Medication/d1"})
    assert only(drug, named).fields["ingredient"] == "lithium"


def test_a_contained_medication() -> None:
    inside = {"resourceType": "Medication", "id": "d1", "code": {"text": "Bupropion 150 MG Oral Tablet"}}
    named = changed(
        MEDICATION, medicationCodeableConcept=None, medicationReference={"reference": "#d1"}, contained=[inside]
    )
    assert only(named).fields["ingredient"] == "bupropion"


@pytest.mark.parametrize(
    ("words", "ingredient"),
    [
        ("Fluoxetine 25MG", "fluoxetine"),
        ("Clonazepam [Klonopin]", "clonazepam"),
        ("Naproxen sodium 220 MG Oral Tablet", "naproxen"),
        ("24 HR Bupropion Hydrochloride 300 MG Extended Release Oral Tablet", "bupropion"),
        ("Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet", "amoxicillin / clavulanate"),
        ("Levora 0.15/30 28 Day Pack", ""),
        ("Lithium", "lithium"),
    ],
)
def test_ingredients(words: str, ingredient: str) -> None:
    assert ingredient_of(words) == ingredient


def test_a_blood_pressure_panel() -> None:
    fields = only(PRESSURE).fields
    assert (fields["value"], fields["value_2"], fields["unit"]) == (Decimal(128), Decimal(82), "mmHg")


@pytest.mark.parametrize(
    ("code", "value", "unit", "stored"),
    [
        ("29463-7", 70, "kg", "70.0"),
        ("29463-7", 154.5, "[lb_av]", "70.1"),
        ("8310-5", 98.6, "[degF]", "37.0"),
        ("8310-5", 36.94, "Cel", "36.9"),
        ("8302-2", 1.8, "m", "180.0"),
        ("8867-4", 71.5, "/min", "72"),
        ("2708-6", 97, "%", "97.0"),
    ],
)
def test_units_are_converted_only_by_their_code(code: str, value: float, unit: str, stored: str) -> None:
    assert str(only(measured(code, value, unit)).fields["value"]) == stored


@pytest.mark.parametrize(
    ("resource", "says"),
    [
        (measured("29463-7", 154, None), "unit"),
        (measured("29463-7", 154, "stone"), "unit"),
        (measured("8310-5", 98.6, "Cel"), "possible"),
        (measured("8867-4", 0, "/min"), "possible"),
        (measured("29463-7", 70, "kg", effectiveDateTime=None), "no time"),
        (measured("29463-7", 70, "kg", status="entered-in-error"), "entered-in-error"),
        (changed(measured("29463-7", 70, "kg"), valueQuantity=None), "no number"),
        (changed(PRESSURE, component=PRESSURE["component"][:1]), "both values"),
        (measured("718-7", 13, "g/dL"), "not a vital sign"),
        (changed(CONDITION, verificationStatus={"coding": [{"code": "refuted"}]}), "refuted"),
        (changed(CONDITION, code=None), "neither"),
        (changed(ALLERGY, code=None), "neither"),
        (changed(ALLERGY, verificationStatus={"coding": [{"code": "refuted"}]}), "refuted"),
        (changed(MEDICATION, medicationCodeableConcept=None, medicationReference={"reference": "#d1"}), "names no med"),
        (changed(measured("29463-7", 70, "kg"), valueQuantity={**LIMIT, "comparator": "<"}), "is a limit"),
        (changed(PROCEDURE, status="not-done"), "not-done"),
        (changed(PROCEDURE, code={"text": "Documentation of current medications"}), "paperwork"),
        (changed(MEDICATION, status="not-taken"), "not-taken"),
        ({"resourceType": "Claim", "id": "x"}, "not used here"),
    ],
)
def test_left_with_a_reason(resource: dict[str, Any], says: str) -> None:
    assert says in why_left(resource)


def test_a_blood_pressure_upside_down_is_left() -> None:
    components = [dict(c) for c in PRESSURE["component"]]
    components[0]["valueQuantity"], components[1]["valueQuantity"] = (
        components[1]["valueQuantity"],
        components[0]["valueQuantity"],
    )
    assert "below the upper" in why_left(changed(PRESSURE, component=components))


@pytest.mark.parametrize(
    ("resource", "says"),
    [
        (changed(PRESSURE, status="zzz"), "Observation.status"),
        (changed(CONDITION, clinicalStatus={"coding": [{"code": "zzz"}]}), "clinicalStatus"),
        (changed(MEDICATION, status="done"), "MedicationStatement.status"),
        (changed(ALLERGY, criticality="terrible"), "criticality"),
        (changed(PROCEDURE, status=["completed"]), "not valid FHIR"),
        (changed(CONDITION, onsetDateTime="2023-02-30"), "onsetDateTime"),
        (changed(CONDITION, onsetDateTime="2023-13-01"), "onsetDateTime"),
        (changed(CONDITION, onsetDateTime="2020-01-01", onsetString="long ago"), "not valid FHIR"),
        (changed(CONDITION, subject="Patient/p1"), "valid FHIR"),
        (changed(CONDITION, subject=None), "valid FHIR"),
        (changed(CONDITION, wild=1), "wild"),
        (changed(CONDITION, subject={"reference": "Patient/other"}), "somebody else"),
        ({"resourceType": "Claim", "patient": {"reference": "Patient/other"}}, "somebody else"),
        (measured("29463-8", 70, "kg"), "check digit"),
        (measured("29463-7", "70", "kg"), "text instead of a number"),
        (changed(PRESSURE, component=[*PRESSURE["component"], PRESSURE["component"][0]]), "same value twice"),
        (changed(PROCEDURE, subject={"display": "Sina"}), "whom it is about"),
        (changed(REQUEST, intent="wish"), "MedicationRequest.intent"),
        (changed(PATIENT, id="p2"), "2 patients"),
    ],
)
def test_refused_as_a_whole(resource: dict[str, Any], says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        parse(CONDITION | {"id": "good"}, resource)


@pytest.mark.parametrize(
    ("patient", "says"),
    [
        (changed(PATIENT, gender="Female"), "Patient.gender"),
        (changed(PATIENT, name=None), "no name"),
        (changed(PATIENT, birthDate="1984"), "whole day"),
        (changed(PATIENT, birthDate=None), "whole day"),
        (changed(PATIENT, birthDate="1984-02-30"), "birthDate"),
        (changed(PATIENT, identifier=None), "no identifier"),
        (changed(PATIENT, identifier=[{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "1"}]), "no identifier"),
        (changed(PATIENT, identifier=[{"system": "urn:x", "value": "v" * 201}]), "longer than 200"),
        (changed(PATIENT, identifier=[{"system": "urn:x", "value": "1\u202e"}]), "cannot be printed"),
        (None, "no Patient"),
    ],
)
def test_people_that_cannot_be_taken(patient: dict[str, Any] | None, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        parse(patient=patient) if patient else parse(CONDITION, patient=None)


@pytest.mark.parametrize(
    "moment",
    [
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
        "0001-01-01T00:00:00Z",
        "0001-01-01",
        "0001",
    ],
)
def test_a_date_outside_of_the_calendar_is_refused_in_words(moment: str) -> None:
    for resource in (changed(PRESSURE, effectiveDateTime=moment), changed(CONDITION, onsetDateTime=moment)):
        with pytest.raises(Unreadable, match=r"lies outside of the calendar|not valid FHIR"):
            parse(resource)
    with pytest.raises(Unreadable, match=r"outside of the calendar|not valid FHIR"):
        parse(patient=changed(PATIENT, deceasedDateTime=moment))


@pytest.mark.parametrize(
    ("written", "on", "moment"),
    [
        ("2026-10-01T22:30:00-05:00", date(2026, 10, 1), datetime(2026, 10, 2, 3, 30, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", date(9999, 12, 31), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-10", date(2026, 10, 1), None),
        ("9999-12-31", date(9999, 12, 31), None),
    ],
)
def test_a_moment_is_kept_in_utc_and_its_day_as_written(written: str, on: date, moment: datetime | None) -> None:
    assert when(written) == When(on, moment)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("2026-10-01T10:00:00", "without a time zone"),
        ("9999-12-31T23:59:59-12:00", "outside of the calendar"),
        ("0001-01-01T00:00:00+12:00", "outside of the calendar"),
        ("2026-10-01T10:00:60Z", "outside of the calendar"),
    ],
)
def test_a_time_that_cannot_be_placed_is_refused(value: str, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        when(value)


@pytest.mark.parametrize("none", [None, "", 5])
def test_no_date_is_none(none: object) -> None:
    assert when(none) is None


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"resourceType": "Patient"}, "not a FHIR Bundle"),
        ({}, "not a FHIR Bundle"),
        ({"resourceType": ["Bundle"]}, "not a FHIR Bundle"),
        (bundle(type="history"), "this type"),
        (bundle(type="zzz"), "Bundle.type"),
        (bundle(entry=[]), "empty"),
        (bundle(entry="x"), "empty"),
        (bundle(entry=[1]), "no resource"),
        (bundle(entry=[{"resource": {}}]), "no resource type"),
        (bundle(entry=[{"resource": PATIENT, "request": {"method": "DELETE"}}]), "only adds"),
        (bundle(entry=[{"resource": PATIENT, "request": []}]), "only adds"),
        (bundle(CONDITION, CONDITION), "twice"),
    ],
)
def test_bundles_that_are_none(document: dict[str, Any], says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        parse_bundle(document)


def test_more_resources_than_the_limit() -> None:
    with pytest.raises(Unreadable, match="more than 2 resources"):
        parse_bundle(bundle(CONDITION, ALLERGY), Limits(resources=2))


def test_an_old_identifier_and_an_address_that_is_none_are_left() -> None:
    old = {"system": "urn:old", "value": "1", "use": "old"}
    mail = [{"system": "email", "value": "sina at example"}, {"system": "phone", "value": "+1 555 0100"}]
    incoming = parse(patient=changed(PATIENT, identifier=[old, *PATIENT["identifier"]], telecom=mail))
    assert {left.what for left in incoming.left} == {"Patient identifier", "Patient e-mail"}
    assert (incoming.patient.email, incoming.patient.phone) == ("", "+1 555 0100")
    mail[0]["value"] = "sina@example.org"
    assert parse(patient=changed(PATIENT, telecom=mail)).patient.email == "sina@example.org"


def test_progress_is_told_now_and_then() -> None:
    told: list[tuple[int, int]] = []
    many = [{"resourceType": "Claim"} for _ in range(450)]
    parse_bundle(bundle(*many), progress=lambda done, of: told.append((done, of)))
    assert told == [(200, 451), (400, 451)]


def test_a_patient_without_an_id_is_known_by_the_full_url() -> None:
    document = bundle(CONDITION, patient=changed(PATIENT, id=None))
    document["entry"][0]["fullUrl"] = "urn:uuid:p1"
    assert len(parse_bundle(document).rows) == 1


def test_a_resource_without_an_id_is_known_by_its_uuid() -> None:
    document = bundle(changed(CONDITION, id=None))
    document["entry"][1]["fullUrl"] = "urn:uuid:0f3e8a52-3a0e-4d0e-9d53-1f0a6c0a7b11"
    assert parse_bundle(document).rows[0].source_id == "Condition/0f3e8a52-3a0e-4d0e-9d53-1f0a6c0a7b11"


def test_a_model_that_breaks_refuses_the_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        @staticmethod
        def model_validate(_: object) -> None:
            raise OverflowError

    monkeypatch.setattr(models, "_model", lambda _: Broken)
    with pytest.raises(Unreadable, match="Patient: not valid FHIR R4"):
        parse()


def test_death_without_a_day() -> None:
    patient = parse(patient=changed(PATIENT, deceasedBoolean=True)).patient
    assert patient.deceased and patient.deceased_on is None


def test_a_full_url_identifies_a_person_without_identifiers() -> None:
    document = bundle(patient=changed(PATIENT, identifier=None))
    document["entry"][0]["fullUrl"] = "https://ehr.example/fhir/Patient/p1"
    assert parse_bundle(document).patient.identifiers == (("https://ehr.example/fhir", "p1"),)


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "'; DROP TABLE x; --", "{{ 7*7 }}", "../../etc/passwd"]
)
def test_hostile_words_are_kept_as_words(hostile: str) -> None:
    assert only(changed(CONDITION, code={"text": hostile})).fields["display"] == hostile


def test_control_characters_are_dropped() -> None:
    text = json.dumps(bundle(changed(CONDITION, code={"text": "A\u0000B\u202eC\nD"})))
    assert parse_bundle(read_document(text.encode(), Limits())).rows[0].fields["display"] == "A B C D"


def test_half_a_character_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"code\.text"):
        parse(changed(CONDITION, code={"text": "\ud800"}))


def test_every_numeric_loinc_code_has_its_check_digit() -> None:
    codes = [*VITAL_SIGNS, *_TABLES["blood_pressure"]["panels"], "8480-6", "8462-4"]
    assert all(loinc_check_digit_ok(code) for code in codes)


def test_a_resource_without_an_id_keeps_one_name() -> None:
    bare = changed(CONDITION, id=None)
    assert only(bare).source_id == only(bare).source_id != only(changed(bare, onsetDateTime="2020")).source_id


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(CONDITION)), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(field=st.sampled_from(sorted({*CONDITION, *PRESSURE, *MEDICATION})), value=_json, which=st.sampled_from(ALL))
def test_no_value_anywhere_breaks_the_reader(field: str, value: object, which: dict[str, Any]) -> None:
    try:
        parse_bundle(bundle({**which, field: value}))
    except Unreadable as refused:
        assert "\n" not in str(refused)
