from django.db import models


class Reading(models.Model):
    """A vital sign as the upgrade has rewritten it."""

    kind = models.CharField(max_length=20)
    said = models.CharField(max_length=80)
    note = models.CharField(max_length=40, default="", db_index=True)

    class Meta:
        app_label = "moving"

    def __str__(self) -> str:
        return self.said
