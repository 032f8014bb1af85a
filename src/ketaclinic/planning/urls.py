"""Routes of this room."""

from django.urls import path

from ketaclinic.planning import views

app_name = "planning"
urlpatterns = [
    path("<int:patient_pk>/", views.patient, name="patient"),
    path("<int:patient_pk>/sign/", views.sign, name="sign"),
    path("plan/<int:plan_pk>/change/", views.change, name="change"),
    path("plan/<int:plan_pk>/end/", views.end, name="end"),
    path("plan/<int:plan_pk>/book/", views.book, name="book"),
    path("plan/<int:plan_pk>/one/", views.book_one, name="book_one"),
    path("booking/<int:booking_pk>/", views.move, name="booking"),
    path("booking/<int:booking_pk>/cancel/", views.cancel, name="cancel"),
]
