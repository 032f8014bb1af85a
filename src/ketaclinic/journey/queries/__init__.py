"""Reads across the rooms, set-based: a list of 10,000 patients costs as many queries as a list of ten."""

from ketaclinic.journey.queries.chart import ChartRow, Filed, chart_row, filed
from ketaclinic.journey.queries.home import caregivers_by_patient, first_of, opened_bookings
from ketaclinic.journey.queries.lists import PatientPage, patient_page, stage_counts
from ketaclinic.journey.queries.timeline import TimelinePage, timeline_page, timeline_stages
from ketaclinic.journey.queries.ways import day_bounds, way_of, ways_of

__all__ = [
    "ChartRow",
    "Filed",
    "PatientPage",
    "TimelinePage",
    "caregivers_by_patient",
    "chart_row",
    "day_bounds",
    "filed",
    "first_of",
    "opened_bookings",
    "patient_page",
    "stage_counts",
    "timeline_page",
    "timeline_stages",
    "way_of",
    "ways_of",
]
