"""Every table is behind the wall or says why not: a new model cannot be forgotten."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import models
from django.test.utils import isolate_apps

from ketaclinic.audit.models import AppendOnly
from ketaclinic.config.wall.policies import House, clinic_column, why_open
from ketaclinic.people.models import Clinic, Patient, PersonalAccess, Staff, User

MODELS = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
POLICIES = {policy.table: policy for policy in House().policies()}


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m._meta.label)
def test_every_table_is_behind_the_wall_or_says_why_not(model: type[models.Model]) -> None:
    policy = POLICIES[model._meta.db_table]
    if model in House().behind:
        assert policy.walled and "ketaclinic_" in policy.read
    else:
        assert not policy.walled and why_open(model), f"{model._meta.label} answers nobody"


@pytest.mark.parametrize("model", [m for m in MODELS if clinic_column(m)], ids=lambda m: m._meta.label)
def test_a_row_with_a_clinic_asks_for_it(model: type[models.Model]) -> None:
    policy = POLICIES[model._meta.db_table]
    assert f"{model._meta.db_table}.clinic_id = (SELECT ketaclinic_clinic())" in policy.read
    assert policy.add != policy.read


@pytest.mark.parametrize("model", [m for m in MODELS if issubclass(m, AppendOnly)], ids=lambda m: m._meta.label)
def test_what_is_only_added_to_cannot_be_changed_in_the_database_either(model: type[models.Model]) -> None:
    policy = POLICIES[model._meta.db_table]
    assert policy.change == "false" and "DELETE" not in policy.grant


def test_a_place_is_what_a_user_has_one_of() -> None:
    assert House().places == [(Staff, "user_id"), (PersonalAccess, "user_id")]
    told = POLICIES["people_user"].read + POLICIES["people_clinic"].read + POLICIES["record_intent"].read
    assert "record_intent p" not in told and "record_intent.user_id" not in told


@isolate_apps("ketaclinic.demo")
def test_a_new_model_is_behind_the_wall_without_anybody_thinking_of_it() -> None:
    class NewRow(models.Model):
        clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
        patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, related_name="+")

        class Meta:
            app_label = "demo"

    class Hanging(models.Model):
        row = models.ForeignKey(NewRow, on_delete=models.PROTECT, related_name="+")

        class Meta:
            app_label = "demo"

    class Device(models.Model):
        user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

        class Meta:
            app_label = "demo"

    class Adrift(models.Model):
        class Meta:
            app_label = "demo"

    policies = {p.table: p for p in House([*MODELS, NewRow, Hanging, Device, Adrift]).policies()}
    assert "people_patient x WHERE x.id = demo_newrow.patient_id" in policies["demo_newrow"].add
    assert "demo_newrow x WHERE x.id = demo_hanging.row_id" in policies["demo_hanging"].read
    assert "people_user x WHERE x.id = demo_device.user_id" in policies["demo_device"].read
    assert policies["demo_adrift"].read == "false" and policies["demo_adrift"].walled
