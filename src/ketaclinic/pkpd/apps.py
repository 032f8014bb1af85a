"""This room as a Django application."""

from django.apps import AppConfig


class Pkpd(AppConfig):
    """The room ``pkpd``."""

    name = "ketaclinic.pkpd"
    label = "pkpd"
