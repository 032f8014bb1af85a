"""Components say what they mean, in words as well as in shape and colour."""

from __future__ import annotations

from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest
from django import forms
from django.template import Context, Template
from django.test import Client, RequestFactory, override_settings

from ketaclinic.design.findings import reason_card
from ketaclinic.design.middleware import Refusals
from ketaclinic.design.track import Check, Track
from ketaclinic.people.models import Staff
from ketacore.evidence import Effect, Finding, Grade, Kind, Refusal, Review, Rule, Source, State, rule_as_json


def show(source: str, **context: Any) -> str:
    return Template(source).render(Context(context))


@pytest.fixture
def rule() -> Rule:
    return Rule(
        rule_id="SPR-PRE-01",
        rule_version=1,
        kind=Kind.PREDOSE,
        effect=Effect.SOFT_STOP,
        title="Blood pressure before the dose",
        text="Above 140/90: decide whether to delay.",
        jurisdiction=("US",),
        grade=Grade.A,
        source=Source("PI", "SPRAVATO label", "5.6", "2025", date(2026, 11, 23)),
        review=Review("a", "b", date(2026, 11, 23), date(2027, 5, 23)),
        effective_from=date(2025, 1, 1),
        enabled=True,
    )


def test_a_finding_opens_to_rule_because_missing_source_and_grade(rule: Rule) -> None:
    page = show("{% finding f %}", f=Finding(rule, State.FIRED, ("144/88 <measured> 9:52",)))
    for line in ("Rule", "Because", "Missing", "Source", "Grade"):
        assert f"<dt>{line}</dt>" in page
    assert "Above 140/90" in page
    assert "SPRAVATO label, 5.6, 2025; checked 23 Nov 2026" in page
    assert "checked against the primary text" in page
    assert "144/88 &lt;measured&gt; 9:52" in page
    assert 'aria-label="Caution"' in page


def test_a_stored_finding_reads_like_a_fresh_one(rule: Rule) -> None:
    fresh = Finding(rule, State.NOT_EVALUATED, (), ("systolic_mmhg",))
    stored = {**rule_as_json(rule), "because": [], "missing": ["systolic_mmhg"]}
    assert reason_card(stored, "not_evaluated") == reason_card(fresh)
    assert reason_card(stored).mark == "unknown"


def test_not_evaluated_never_looks_fine(rule: Rule) -> None:
    page = show("{% finding f %}", f=Finding(rule, State.NOT_EVALUATED, (), ("age",)))
    assert "Could not be checked" in page
    assert "Not known: age" in page


@pytest.mark.parametrize(
    ("kind", "word"), [("stop", "Stop"), ("caution", "Caution"), ("note", "Note"), ("unknown", "Could not be checked")]
)
def test_marks_have_a_word(kind: str, word: str) -> None:
    assert f'aria-label="{word}"' in show("{% mark kind %}", kind=kind)
    assert 'aria-hidden="true"' in show('{% mark kind "" %}', kind=kind)


def test_content_is_escaped_everywhere() -> None:
    nasty = '<script>alert("x")</script>'
    page = show(
        "{% badge n %}{% grade n %}{% card n n %}x{% endcard %}{% alert 'low' n n %}{% endalert %}{% empty n n %}"
        "{% endempty %}{% number n n n %}{% kv pairs %}{% button n %}{% link_button n n %}{% choice n options n %}"
        "{% table n rows=rows %}{% gate lines %}{% timeline lines %}{% pathway lines %}"
        "{% confirm n n n %}{% endconfirm %}",
        n=nasty,
        pairs=[(nasty, nasty)],
        options=[(nasty, nasty)],
        rows=[[nasty]],
        lines=[{"what": nasty, "why": nasty, "text": nasty, "was": nasty, "name": nasty, "note": nasty}],
    )
    assert "<script" not in page


def test_an_unknown_number_is_said_and_never_a_zero() -> None:
    page = show('{% number None "%" %}')
    assert "not known" in page
    assert "0" not in page.replace("100", "")
    assert "not recorded" in show("{% kv pairs %}", pairs=[("Next session", None)])


class _Form(forms.Form):
    weight = forms.DecimalField(label="Weight", help_text="Today")
    answer = forms.ChoiceField(label="Answer", choices=[("y", "Yes"), ("n", "No")], widget=forms.RadioSelect)
    note = forms.CharField(required=False)
    sure = forms.BooleanField(label="Sure", required=False)


class _Ids(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.wanted: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.add(str(found["id"]))
        for name in ("for", "aria-describedby"):
            self.wanted |= set((found.get(name) or "").split())


def test_fields_tie_label_help_and_error_together() -> None:
    form = _Form({"weight": "heavy"})
    page = show(
        "{% form_errors f %}{% field f.weight unit='kg' %}{% field f.answer %}{% field f.note %}{% field f.sure %}",
        f=form,
    )
    ids = _Ids()
    ids.feed(page)
    assert ids.wanted <= ids.ids
    assert 'aria-describedby="id_weight_hint id_weight_error"' in page
    assert 'aria-invalid="true"' in page
    assert 'value="heavy"' in page, "what was typed is kept"
    assert 'href="#id_weight"' in page
    assert "(optional)" in page
    assert 'type="radio"' in page


def test_a_form_not_sent_yet_shows_no_error() -> None:
    assert show("{% form_errors f %}", f=_Form()).strip() == ""


def test_the_track_draws_doses_checks_gate_and_now() -> None:
    track = Track(span=140, now=47, doses=(0, 5), dose_due=10, checks=(Check(30, "late"), Check(50, "next")), gate=130)
    page = show("{% track t %}", t=track)
    assert page.count('class="dose"') == 2
    for css in ("dose-due", "late", "check next", "gate", "now"):
        assert f'class="{css}"' in page
    assert track.x(0) < track.x(47) < track.x(140) <= 256
    assert track.x(900) == track.x(140), "never outside the track"


def test_outside_of_the_demo_there_is_no_page_of_components(client: Client) -> None:
    assert client.get("/design/").status_code == 404


@override_settings(DEMO=True)
def test_every_component_is_on_the_page(client: Client) -> None:
    page = client.get("/design/").content.decode()
    for css in ("finding", "reason", "gate", "pathway", "track", "seg", "alert high", "empty", "confirm", "kv", "tl"):
        assert f'class="{css}' in page, css


def test_the_theme_is_kept_and_rendered_by_the_server(client: Client) -> None:
    answer = client.post("/design/theme/", {"theme": "dark", "next": "/design/"})
    assert answer.status_code == 302
    assert answer["Location"] == "/design/"
    assert 'data-theme="dark"' in client.get("/sign-in/").content.decode()
    client.post("/design/theme/", {"theme": "device", "next": "/design/"})
    assert "data-theme" not in client.get("/sign-in/").content.decode()


def test_the_theme_switch_leads_to_no_other_site(client: Client) -> None:
    answer = client.post("/design/theme/", {"theme": "dark", "next": "https://elsewhere.example/"})
    assert answer["Location"] == "/"
    by_hand = client.get("/design/theme/")
    assert by_hand.status_code == 405 and by_hand["Allow"] == "POST"
    assert "This address only takes a form" in by_hand.content.decode()


@override_settings(DEMO=True)
def test_the_frame_has_skip_link_name_role_and_sign_out(as_nurse: Client, nurse: Staff) -> None:
    page = as_nurse.get("/design/").content.decode()
    assert 'href="#content"' in page
    assert nurse.display_name in page
    assert "Sign out" in page
    assert "Synthetic people" in page


def test_a_refusal_says_what_why_and_what_to_do(nurse: Staff, rf: RequestFactory) -> None:
    request = rf.post("/x/", HTTP_REFERER="http://testserver/treatment/")
    answer = Refusals(lambda r: None).process_exception(  # type: ignore[arg-type, return-value]
        request, Refusal("Discharge", ["no escort", "BP not measured"], "Measure it.")
    )
    assert answer is not None
    page = answer.content.decode()
    assert answer.status_code == 409
    for words in ("Discharge", "no escort", "BP not measured", "Measure it.", "Nothing was changed", "/treatment/"):
        assert words in page


def test_errors_are_pages_with_a_way_on(client: Client) -> None:
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    assert "Go to the first page" in answer.content.decode()
