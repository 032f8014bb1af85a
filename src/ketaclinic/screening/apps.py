"""This room as a Django application."""

from django.apps import AppConfig


class Screening(AppConfig):
    """The room ``screening``."""

    name = "ketaclinic.screening"
    label = "screening"
