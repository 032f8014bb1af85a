"""Routes of this room."""

from django.urls import path

from ketaclinic.treatment import views

app_name = "treatment"
urlpatterns = [
    path("floor/", views.floor, name="floor"),
    path("floor/live/", views.floor_live, name="floor_live"),
    path("wall/", views.wall, name="wall"),
    path("wall/live/", views.wall_live, name="wall_live"),
    path("open/<int:patient_pk>/", views.open_, name="open"),
    path("enrol/<int:patient_pk>/", views.enrol, name="enrol"),
    path("session/<int:session_pk>/", views.session, name="session"),
    path("session/<int:session_pk>/live/", views.session_live, name="session_live"),
    path("session/<int:session_pk>/record/", views.record, name="record"),
    path("session/<int:session_pk>/acknowledge/", views.acknowledge, name="acknowledge"),
    path("session/<int:session_pk>/undo/", views.undo, name="undo"),
    path("session/<int:session_pk>/entry/<int:event_pk>/", views.amend, name="amend"),
    path("session/<int:session_pk>/entry/<int:event_pk>/begin/", views.begin_amending, name="begin_amending"),
]
