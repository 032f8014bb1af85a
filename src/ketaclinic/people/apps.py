"""This room as a Django application."""

from django.apps import AppConfig


class People(AppConfig):
    """The room ``people``."""

    name = "ketaclinic.people"
    label = "people"
