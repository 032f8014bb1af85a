"""Components as template tags; loaded in every template, so no ``{% load %}`` is needed. All on one page: ``/design/``.

Marks      ``{% icon "print" %}``  ``{% mark "stop" %}`` (stop caution note unknown fine gate dose due)
           ``{% badge "Active" "on" %}`` (on line solid high med unsure)  ``{% grade "A" %}``  ``{% avatar patient %}``
           ``{% saved %}``  ``{% unsent 2 %}``  ``{% synthetic %}``
Reasons    ``{% finding f %}`` one line that opens to its reason; ``f`` is a ketacore ``Finding`` or its stored JSON.
           ``{% finding f state="clear" open=True %}``  ``{% reason f %}`` the five lines alone
Blocks     ``{% card "Plan" aside="Active" %}…{% endcard %}``
           ``{% alert "high" "URGENT" "Chair 6 …" %}buttons{% endalert %}``
           ``{% empty "No sessions yet" "Book the first one." %}buttons{% endempty %}``
           ``{% confirm "Stop session" "Stop the session of Maya?" "What is kept" %}form fields{% endconfirm %}``
Numbers    ``{% number 8 "of 27" "today: mild" %}``  ``{% kv rows %}`` rows of (word, value)
           ``{% table "Drug" "#Weeks" rows=rows caption="…" %}`` (# = figures, right-aligned)
Forms      ``{% form_keys %}`` first in every form that writes: its key, and for whom it was drawn
           ``{% field form.weight unit="kg" %}``  ``{% form_errors form %}``
           ``{% button "Save" %}`` (primary by default)  ``{% button "Stop" "danger" name="do" value="stop" %}``
           ``{% link_button url "Change plan" "quiet" %}``
           ``{% choice "answer" options legend="Any psychosis?" value=current %}`` options of (value, label)
Pictures   ``{% pathway stages %}`` stages with name, note, state (done here later), url
           ``{% track track %}`` a ``design.track.Track``
Lists      ``{% gate lines %}`` lines with state (met unmet unknown), what, why, aside
           ``{% timeline lines %}`` lines with at/when, text, was, who, note, unsent

Objects may be dataclasses, models or dicts: only the names above are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django import template
from django.forms import BoundField
from django.http import HttpRequest
from django.template import Context
from django.urls import resolve
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from ketaclinic.design import findings as findings_
from ketaclinic.design import marks
from ketaclinic.design.shapes import drawing
from ketaclinic.design.track import Track
from ketaclinic.people import drawn, seen
from ketaclinic.people.models import Patient
from ketaclinic.people.presenters import with_day_words
from ketacore.evidence import Finding, Grade

register = template.Library()


# ---- marks ---------------------------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """Draw a decorative icon; the word belongs beside it (or into an ``aria-label`` of the button)."""
    return marks.icon(name, css)


@register.simple_tag
def mark(kind: str, label: str | None = None, css: str = "") -> SafeString:
    """Draw one of the marks; ``label=""`` where its word already stands beside it."""
    return marks.mark(kind, label, css)


@register.simple_tag
def badge(text: str, kind: str = "") -> SafeString:
    """Show a short state as a pill: ``on``, ``line`` outlined, ``solid``, ``high``, ``med``, ``unsure`` dashed."""
    return format_html('<span class="badge {}">{}</span>', kind, text)


@register.simple_tag
def grade(value: str) -> SafeString:
    """Show the evidence grade: A solid, everything weaker outlined; its meaning is the tooltip and is read out."""
    word = str(getattr(value, "value", value))
    meaning = Grade(word).meaning if word in set(Grade) else ""
    return format_html(
        '<span class="grade{}" title="Grade {}: {}"><span class="vh">grade </span>{}</span>',
        " a" if word == "A" else "",
        word,
        meaning,
        word,
    )


@register.simple_tag
def avatar(person: Any, css: str = "") -> SafeString:
    """Show a person's two letters; decorative, the name always stands beside it."""
    letters = getattr(person, "initials", "") or "".join(w[:1] for w in str(person).split()[:2]).upper()
    return format_html('<span class="avatar {}" aria-hidden="true">{}</span>', css, letters)


@register.simple_tag
def saved(text: str = "saved") -> SafeString:
    """Say that an entry is stored."""
    return format_html('<span class="saved">{}{}</span>', marks.icon("check", "small"), text)


@register.simple_tag
def unsent(count: int = 0) -> SafeString:
    """Say that something is still kept on this device only."""
    text = f"Not sent: {count} · kept on this tablet" if count else "Not sent"
    return format_html('<span class="unsent">{}{}</span>', marks.icon("offline", "small"), text)


@register.simple_tag
def synthetic(text: str = "Synthetic") -> SafeString:
    """Mark people and numbers as made up."""
    return format_html('<span class="synthetic">{}</span>', text)


# ---- reasons -------------------------------------------------------------------------------------------------------


@register.inclusion_tag("design/parts/reason.html")
def reason(finding: Finding | Mapping[str, Any], state: str = "") -> dict[str, Any]:
    """Show the five lines of the reason card: rule, because, missing, source, grade."""
    return {"card": findings_.reason_card(finding, state)}


@register.inclusion_tag("design/parts/finding.html")
def finding(finding: Finding | Mapping[str, Any], state: str = "", open: bool = False, tag: str = "") -> dict[str, Any]:
    """Show a finding as one line that opens to its reason; ``tag`` is a word before the rule id (``IV only``)."""
    return {"card": findings_.reason_card(finding, state), "open": open, "tag": tag}


@register.filter
def fact_name(name: str) -> str:
    """Turn the name of a missing fact into words."""
    return findings_.fact_name(str(name))


# ---- blocks --------------------------------------------------------------------------------------------------------


@register.simple_block_tag
def card(content: str, title: str = "", aside: str = "", css: str = "", id: str = "") -> SafeString:
    """Frame a part of the page with its heading; ``aside`` stands at the right of it."""
    named = format_html(' aria-label="{}"', title) if title else ""
    anchor = format_html(' id="{}"', id) if id else ""
    side = format_html('<span class="aside">{}</span>', aside) if aside else ""
    header = format_html("<header><h2>{}</h2>{}</header>", title, side) if title else ""
    return format_html(
        '<section class="card {}"{}{}>{}<div class="in">{}</div></section>', css, anchor, named, header, content
    )


@register.simple_block_tag
def alert(content: str, priority: str, word: str, text: str = "", id: str = "") -> SafeString:
    """Show a banner of priority ``high``, ``med`` or ``low``; the content holds its buttons."""
    return format_html(
        '<div class="alert {}"{} role="{}">{}<p><span class="word">{}</span> {}</p><div class="do">{}</div></div>',
        priority,
        format_html(' id="{}"', id) if id else "",
        "alert" if priority == "high" else "status",
        marks.mark(priority, ""),
        word,
        text,
        content,
    )


@register.simple_block_tag
def empty(content: str, title: str, text: str = "", icon: str = "flag") -> SafeString:
    """Show an empty state that teaches the next step; the content holds the way to it."""
    return format_html(
        '<div class="empty">{}<h3>{}</h3><p class="muted">{}</p>{}</div>', marks.icon(icon), title, text, content
    )


@register.simple_block_tag
def confirm(content: str, label: str, title: str, text: str = "", icon: str = "", kind: str = "danger") -> SafeString:
    """Ask once before a destructive act; the content is the form's fields and its final button."""
    return format_html(
        '<details class="confirm"><summary class="btn {}">{}{}</summary>'
        '<div class="dialog"><h3>{}</h3><p class="muted">{}</p>{}</div></details>',
        kind,
        marks.icon(icon) if icon else "",
        label,
        title,
        text,
        content,
    )


# ---- numbers -------------------------------------------------------------------------------------------------------


@register.simple_tag
def number(value: Any, unit: str = "", caption: str = "", css: str = "") -> SafeString:
    """Show one figure with its unit and what it says; nothing known is a dash with words, never a zero."""
    if value is None or value == "":
        shown = mark_safe('<span class="faint" aria-hidden="true">–</span><span class="vh">not known</span>')
    else:
        shown = format_html("{}", value)
    small = format_html("<small>{}</small>", unit) if unit else ""
    below = format_html('<span class="caption">{}</span>', caption) if caption else ""
    return format_html('<span class="figure {}"><span class="num">{}{}</span>{}</span>', css, shown, small, below)


@register.simple_tag
def kv(rows: Iterable[tuple[Any, Any]]) -> SafeString:
    """Show pairs of word and value; a value that is not known says so."""
    unknown = mark_safe('<span class="faint">not recorded</span>')
    pairs = ((word, unknown if value is None or value == "" else value) for word, value in rows)
    return format_html('<dl class="kv">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", pairs))


@register.inclusion_tag("design/parts/table.html")
def table(*headings: str, rows: Iterable[Sequence[Any]], caption: str = "") -> dict[str, Any]:
    """Show rows under headings; a heading that begins with ``#`` holds figures, right-aligned."""
    columns = [{"name": h.removeprefix("#"), "css": "n" if h.startswith("#") else ""} for h in headings]
    return {
        "columns": columns,
        "rows": [[{"value": v, "css": c["css"]} for v, c in zip(row, columns, strict=False)] for row in rows],
        "caption": caption,
    }


# ---- forms ---------------------------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def form_keys(context: Context, to: str = "", showed: str = "", **named: str) -> SafeString:
    """Carry what a form needs to be accepted once, from here, for the patient it was drawn for.

    The patient is the page's (``patient`` in the context). ``to`` is the form's address where it is not the page's
    own; a form whose address changes something existing also carries what it showed (or ``showed``, if given);
    ``named`` are fields of the form that say which thing of several it changes.
    """
    request, patient = context.get("request"), context.get("patient")
    person = patient if isinstance(patient, Patient) else None
    about = person.pk if person is not None else None
    fields = [
        ("csrfmiddlewaretoken", context.get("csrf_token", "")),
        ("intent_key", uuid4().hex),
        (drawn.FIELD, drawn.drawn_for_value(about)),
    ]
    if request is not None:
        if about is not None:
            drawn.check_same_patient(request, about)
        showed = showed or _showed(request, to, named, person)
    if showed:
        fields.append((seen.FIELD, showed))
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', fields)


def _showed(request: HttpRequest, to: str, named: Mapping[str, str], patient: Patient | None) -> str:
    match = resolve(urlsplit(to).path) if to else request.resolver_match
    edited = getattr(match.func, "edits", None) if match is not None else None
    if match is None or edited is None or getattr(request, "staff", None) is None:
        return ""
    return seen.seen_value(request, edited, match.kwargs, named, patient)


@register.inclusion_tag("design/parts/field.html")
def field(bound: BoundField, unit: str = "", hint: str = "") -> dict[str, Any]:
    """Render a form field with label, help, unit and errors, all tied together for a screen reader."""
    kind = getattr(bound.field.widget, "input_type", "")
    described = [f"{bound.auto_id}_hint"] if hint or bound.help_text else []
    described += [f"{bound.auto_id}_error"] if bound.errors else []
    extra: dict[str, str | bool] = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors:
        extra["aria-invalid"] = "true"
    options = kind in ("radio",) or type(bound.field.widget).__name__ == "CheckboxSelectMultiple"
    segmented = kind == "radio" and len(getattr(bound.field, "choices", ())) <= 4
    return {
        "bound": bound,
        "control": bound.as_widget(attrs=extra) if not options else "",
        "kind": "options" if options else ("check" if kind == "checkbox" else kind or "text"),
        "segmented": segmented,
        "unit": unit,
        "hint": hint or bound.help_text,
        "described": " ".join(described),
    }


@register.inclusion_tag("design/parts/form_errors.html")
def form_errors(form: Any) -> dict[str, Any]:
    """Sum up what keeps a form from being accepted, each line leading to its field; nothing typed is lost."""
    lines = (
        [] if not form.is_bound else [(bound.auto_id, bound.label, error) for bound in form for error in bound.errors]
    )
    general = form.non_field_errors() if form.is_bound else []
    return {"lines": lines, "general": general, "count": len(lines) + len(general)}


@register.filter(is_safe=True)
def said(text: Any) -> str:
    """Return what the core says, with its days as people write them."""
    return with_day_words(str(text))


@register.simple_tag
def button(
    label: str,
    kind: str = "primary",
    name: str = "",
    value: str = "",
    icon: str = "",
    type: str = "submit",
    id: str = "",
) -> SafeString:
    """Render a button: ``primary`` (one in a view), ``""`` plain, ``quiet``, ``danger``, ``solid-danger``, ``big``."""
    attributes = format_html_join(
        "", ' {}="{}"', ((k, v) for k, v in (("name", name), ("value", value), ("id", id)) if v)
    )
    return format_html(
        '<button class="btn {}" type="{}"{}>{}{}</button>',
        kind,
        type,
        attributes,
        marks.icon(icon) if icon else "",
        label,
    )


@register.simple_tag
def link_button(url: str, label: str, kind: str = "", icon: str = "") -> SafeString:
    """Render a link that looks like a button, because it leads somewhere and changes nothing."""
    return format_html('<a class="btn {}" href="{}">{}{}</a>', kind, url, marks.icon(icon) if icon else "", label)


@register.inclusion_tag("design/parts/choice.html")
def choice(
    name: str,
    options: Iterable[tuple[Any, Any]],
    legend: str = "",
    value: Any = None,
    css: str = "",
    hidden: bool = False,
) -> dict[str, Any]:
    """Render a segmented choice of (value, label); ``hidden`` keeps the legend for screen readers only."""
    chosen = "" if value is None else str(value)
    return {
        "name": name,
        "legend": legend,
        "hidden": hidden,
        "css": css,
        "options": [(str(v), label, str(v) == chosen) for v, label in options],
    }


# ---- pictures and lists --------------------------------------------------------------------------------------------


@register.inclusion_tag("design/parts/pathway.html")
def pathway(stages: Iterable[Any]) -> dict[str, Any]:
    """Show the pathway as a line with "you are here"; stages have name, note, state (done here later), url."""
    return {"stages": stages}


@register.inclusion_tag("design/parts/track.html")
def track(track: Track | None) -> dict[str, Any]:
    """Draw the track of a session: doses, checks due, the gate, now."""
    return {"track": track, "drawing": drawing(track.drawn()) if track else ""}


@register.inclusion_tag("design/parts/gate.html")
def gate(lines: Iterable[Any], label: str = "") -> dict[str, Any]:
    """Show a gate as a list that says what is met, what is open and what could not be checked."""
    return {"lines": lines, "label": label}


@register.inclusion_tag("design/parts/timeline.html")
def timeline(lines: Iterable[Any], css: str = "") -> dict[str, Any]:
    """Show what happened, newest first as given; an amended line shows the old value struck through."""
    return {"lines": lines, "css": css}
