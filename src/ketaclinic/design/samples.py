"""Made-up content for the page that shows all components. Nothing here is about anybody."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django import forms

from ketaclinic.design.marks import ICONS, MARKS
from ketaclinic.design.track import Check, Track

_RULE = {
    "rule_id": "SPR-PRE-01",
    "title": "Elevated blood pressure before dosing",
    "text": "Systolic above 140 or diastolic above 90 mmHg: decide whether to delay. Not an absolute stop.",
    "effect": "soft_stop",
    "grade": "A",
    "source": {
        "title": "SPRAVATO US label",
        "section": "sections 5.6 and 2.1",
        "checked_on": date(2026, 11, 23).isoformat(),
    },
    "because": ["144/88 measured 9:52"],
    "missing": [],
}

_PATHWAY = (
    ("Referral", "3 Aug", "done"),
    ("Screening", "candidate, 17 Aug", "done"),
    ("Consent", "10 Sep 2026", "done"),
    ("Plan", "signed 11 Sep", "done"),
    ("Induction", "8 sessions", "done"),
    ("Maintenance", "session 14, week 11", "here"),
    ("Review", "due 14 Mar 2027", "later"),
)

_SWATCHES = ("paper", "surface", "sunken", "ink", "accent", "high", "med", "estimate-2")


class SampleForm(forms.Form):
    """Fields in their states: at rest, in use, refused."""

    weight = forms.DecimalField(label="Weight", help_text="Measured today, 9:45")
    systolic = forms.IntegerField(label="Systolic", max_value=300)
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    dose = forms.ChoiceField(label="Dose", choices=[("56", "56 mg"), ("84", "84 mg")], widget=forms.RadioSelect)
    escort = forms.BooleanField(label="The escort is here and knows what to watch for", required=False)


def sample_form() -> SampleForm:
    """Return a bound form with one refused value."""
    form = SampleForm({"weight": "78", "systolic": "1460", "dose": "84"})
    form.full_clean()
    if "systolic" in form.errors:
        form.errors["systolic"] = form.error_class(["Too high to be right. Kept as typed. Check the last digit."])
    return form


def everything() -> dict[str, Any]:
    """Return the context of the components page."""
    return {
        "swatches": _SWATCHES,
        "icons": sorted(ICONS),
        "marks": [(kind, word) for kind, (_, word) in MARKS.items() if kind not in ("high", "med", "low")],
        "form": sample_form(),
        "fired": _RULE,
        "stopped": {**_RULE, "effect": "hard_stop", "rule_id": "SPR-CI-01", "title": "Aneurysmal vascular disease"},
        "unsure": {**_RULE, "because": [], "missing": ["systolic_mmhg"], "title": "Blood pressure today"},
        "answers": [("yes", "Yes"), ("no", "No"), ("not_known", "Not known")],
        "pathway": [{"name": n, "note": note, "state": s} for n, note, s in _PATHWAY],
        "pairs": [("Product", "Esketamine nasal, 84 mg"), ("Spacing", "Every 2 weeks"), ("Next session", None)],
        "trials": [("Sertraline 100 mg", 10, "yes"), ("Venlafaxine XR 150 mg", 5, "no, under 6 weeks")],
        **_session(),
    }


def _session() -> dict[str, Any]:
    at = datetime(2026, 11, 23, 10, 44, tzinfo=UTC)
    return {
        "gate": [
            {"state": "met", "what": "MOAA/S 5", "aside": "10:43"},
            {"state": "unmet", "what": "120 min since last device", "why": "SPR-MON-07", "aside": "83 min left"},
            {"state": "unknown", "what": "Blood pressure at the end", "why": "not measured yet"},
        ],
        "lines": [
            {"at": at, "text": "Dissociation mild, calm", "who": "S. Imani", "unsent": True},
            {"at": at.replace(minute=35), "text": "BP 149/92", "was": "194/92", "note": "mistyped", "saved": True},
        ],
        "track_nasal": Track(
            span=140,
            now=47,
            doses=(0, 5, 10),
            checks=(Check(50, "next"), Check(100)),
            gate=130,
            words="Nasal, minute 47",
        ),
        "track_iv": Track(
            span=100, now=22, infusion=(0, 22, 40), checks=(Check(15, "late"), Check(30, "next"), Check(60)), words="IV"
        ),
    }
