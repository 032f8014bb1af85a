"""The page that explains how ketamine works: for everybody, with words for every picture."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from ketaclinic.pkpd.forms import WAYS
from ketaclinic.pkpd.presenters.panels import Band, hours, panel

PAGE = "/how-ketamine-works/"


def text(client: Client, **asked: object) -> str:
    reply = client.get(PAGE, asked)
    assert reply.status_code == 200
    return reply.content.decode()


def test_a_stranger_reads_it_without_a_choice(client: Client) -> None:
    shown = text(client)
    assert "Esketamine nasal spray, 84 mg. The most esketamine in the blood is expected about" in shown
    assert "order nothing and predict no response" in shown and "All are estimates, none a measurement:" in shown
    assert shown.count('role="img"') == shown.count("<figure")


@pytest.mark.parametrize("way", WAYS)
def test_every_way_is_answered_at_both_ends(way: str, client: Client) -> None:
    of = WAYS[way]
    low, high = (text(client, way=way, dose_mg=dose) for dose in (of.low_mg, of.high_mg))
    figures = [re.search(r"is expected about [^:]+: ([\d.]+) to ([\d.]+) ng/mL\.", shown) for shown in (low, high)]
    assert figures[0] and figures[1] and float(figures[0][2]) < float(figures[1][2])


def test_the_other_binding_constant_the_sites_and_the_grade_are_told(client: Client) -> None:
    shown = text(client, way="infusion")
    assert re.search(r"with another published binding constant it is \d+ to \d+ %", shown)
    assert re.search(r"\(grade D\); highest by where blood was drawn: artery \d+ to \d+, vein ", shown)
    assert "Ancestry is not asked for here" in text(client, way="nasal")


def test_the_moment_looked_at_moves_line_and_sentence(client: Client) -> None:
    early, late = (text(client, way="infusion", look_min=minute) for minute in (40, 300))
    assert "40 min after the start:" in early and "5 h after the start:" in late
    assert re.search(r'g-nowl" d="[^"]+', early)[0] != re.search(r'g-nowl" d="[^"]+', late)[0]  # type: ignore[index]


def test_the_length_of_an_infusion_matters_and_only_there(client: Client) -> None:
    short, long = (text(client, way="infusion", lasting_min=m) for m in (10, 120))
    assert "over 10 min" in short and short != long
    assert 'type="hidden" name="lasting_min"' in text(client, way="nasal")


@pytest.mark.parametrize(
    "asked",
    [
        {"dose_mg": "3500"}, {"dose_mg": "-1"}, {"dose_mg": "nan"}, {"dose_mg": "x"}, {"way": "rectal"},
        {"look_min": "99999"}, {"dose_mg": "29"}, {"look_min": "41"},
        {"way": "infusion", "lasting_min": "0.5"}, {"way": "infusion", "lasting_min": "41"}, {"dose_mg": "1e400"},
    ],
)  # fmt: skip
def test_what_was_never_studied_is_refused_on_the_page(asked: dict[str, str], client: Client) -> None:
    reply = client.get(PAGE, asked)
    assert reply.status_code == 422
    shown = reply.content.decode()
    assert "Choose a dose that was studied" in shown and "<figure" not in shown


def test_nothing_of_anybody_is_on_it(as_nurse: Client, client: Client) -> None:
    strip = re.compile(r"<header.*?</header>|<footer.*?</footer>|data-\w+=\"[^\"]*\"", re.DOTALL)
    main = re.compile(r"<div class=\"page-title\".*</main>", re.DOTALL)
    mine, theirs = (main.search(strip.sub("", text(c)))[0] for c in (as_nurse, client))  # type: ignore[index]
    assert mine == theirs


def test_the_index_and_both_arms_are_told_as_calculated_and_illustrated(client: Client) -> None:
    shown = text(client, way="infusion", look_min=40)
    assert "a calculated 32 to 58 % of the receptors held" in shown and "never measured in people" in shown
    assert "fast arm" in shown and "slow arm: synapses" in shown and "An illustration, no prediction." in shown
    assert shown.count("<figure") == 4 and shown.count("<table") == 2


def test_a_flat_band_is_drawn_too() -> None:
    drawn = panel("Nothing", "ng/mL", [Band("x", [0, 60], [0, 0], [0, 0])], hours(60), "nothing")
    assert "nan" not in drawn.shapes and drawn.shapes.count("g-edge") == 2


def test_two_bands_are_named_on_the_picture() -> None:
    bands = [Band("one", [0, 60], [0, 1], [0, 2]), Band("other", [0, 60], [0, 3], [0, 4], "other")]
    drawn = panel("Two", "ng/mL", bands, hours(60), "two")
    assert ">one<" in drawn.shapes and ">other<" in drawn.shapes and "g-edge other" in drawn.shapes


def test_a_spray_tells_how_many_people_notice_it(client: Client) -> None:
    shown = text(client, way="nasal", dose_mg=84)
    assert "Sleepiness comes to 61 of 100 people (label: 48 to 61), most of them 30 to 45 min after" in shown
    assert "Floating away (dissociation) comes to 69 of 100 people (label: 61 to 84)" in shown
    assert "How many people are sleepy" in shown and "sleepy, %" in shown
    assert "it says nothing about one person" in shown


def test_other_ways_and_doses_tell_how_strong_dissociation_is_or_that_we_cannot_tell(client: Client) -> None:
    infusion, swallowed = text(client, way="infusion"), text(client, way="swallowed")
    assert "How strong dissociation is" in infusion and "we can only tell for the spray, at 56 and 84 mg" in infusion
    assert "How many people are sleepy</b>" not in infusion
    for page in (swallowed, text(client, way="nasal", dose_mg=28)):
        assert "we cannot tell for this dose and way of giving it" in page and page.count("<figure") == 3


def test_what_a_picture_says_is_to_be_read_beside_it(client: Client) -> None:
    shown = text(client, way="infusion")
    assert '<p class="s muted" aria-hidden="true">Dissociation is strongest about' in shown
    assert "is expected about 40 min after the start: 125 to" in shown  # no span where there is none


def test_each_picture_tells_its_grade(client: Client) -> None:
    shown = text(client, way="nasal")
    grades = dict(re.findall(r"<figcaption><b>([^<]+)</b> <span[^>]*>grade (\w)</span>", shown))
    assert list(grades.values()) == ["B", "D", "D", "D"] and "B on a copy of one, D on our own reckoning" in shown
    assert "Ebert B, et al. 1997" in shown and "Olofsen" in text(client, way="infusion")


def test_when_something_is_highest_is_when_its_middle_is() -> None:
    band = Band("x", [0, 10, 20], [0, 1, 1], [0, 9, 2], middle=[0, 2, 3])
    assert band.top_min == 20 and Band("x", [0, 10], [0, 1], [0, 9]).top_min == 10
