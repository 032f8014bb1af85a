"""Routes of this room."""

from django.urls import path

from ketaclinic.consent import views

app_name = "consent"
urlpatterns = [
    path("<int:patient_pk>/", views.patient, name="patient"),
    path("<int:patient_pk>/sign/<int:text_pk>/", views.sign, name="sign"),
    path("<int:patient_pk>/withdraw/<slug:product>/", views.withdraw, name="withdraw"),
    path("signature/<int:pk>/", views.signature, name="signature"),
    path("texts/", views.texts, name="texts"),
    path("texts/<int:pk>/", views.text, name="text"),
    path("texts/sign-off/<slug:product>/<slug:language>/<str:version>/", views.sign_off, name="sign_off"),
]
