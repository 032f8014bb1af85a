"""Reads across the rooms, set-based: a list of 10,000 patients costs as many queries as a list of ten."""

from ketaclinic.journey.queries.chart import ChartRow, Filed, chart_row, filed
from ketaclinic.journey.queries.duties import Duty, duties_of
from ketaclinic.journey.queries.home import caregivers_by_patient, first_of, opened_bookings
from ketaclinic.journey.queries.lists import WAITING, PatientPage, patient_page, stage_counts
from ketaclinic.journey.queries.own import OwnCare, Visit, last_given_of, own_care, visit_of
from ketaclinic.journey.queries.timeline import TimelinePage, timeline_page, timeline_stages
from ketaclinic.journey.queries.ways import day_bounds, way_of, ways_of

__all__ = [
    "WAITING",
    "ChartRow",
    "Duty",
    "Filed",
    "OwnCare",
    "PatientPage",
    "TimelinePage",
    "Visit",
    "caregivers_by_patient",
    "chart_row",
    "day_bounds",
    "duties_of",
    "filed",
    "first_of",
    "last_given_of",
    "opened_bookings",
    "own_care",
    "patient_page",
    "stage_counts",
    "timeline_page",
    "timeline_stages",
    "visit_of",
    "way_of",
    "ways_of",
]
