"""This room as a Django application."""

from django.apps import AppConfig


class Record(AppConfig):
    """The room ``record``."""

    name = "ketaclinic.record"
    label = "record"
