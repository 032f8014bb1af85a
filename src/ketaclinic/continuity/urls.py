"""Routes of this room."""

from django.urls import path

from ketaclinic.continuity import views

app_name = "continuity"
urlpatterns = [
    path("", views.downtime, name="downtime"),
    path("form/<slug:form>/", views.blank, name="blank"),
    path("restored/<int:restoration_pk>/seen/", views.restoration_seen, name="restoration_seen"),
    path("paper/", views.paper, name="paper"),
    path("paper/open/<int:patient_pk>/", views.paper_open, name="paper_open"),
    path("paper/<int:session_pk>/", views.paper_entries, name="paper_entries"),
]
