"""This room as a Django application."""

from django.apps import AppConfig


class Policy(AppConfig):
    """The room ``policy``."""

    name = "ketaclinic.policy"
    label = "policy"
