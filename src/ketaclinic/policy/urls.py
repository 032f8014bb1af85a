"""Routes of this room."""

from django.urls import path

from ketaclinic.policy import views

app_name = "policy"
urlpatterns = [
    path("", views.rules, name="rules"),
    path("rule/<str:rule_id>/", views.rule, name="rule"),
    path("rule/<str:rule_id>/sign/", views.sign, name="sign"),
    path("room/<slug:room>/sign/", views.sign_all, name="sign_all"),
]
