"""Routes of this room."""

from django.urls import path

from ketaclinic.screening import views

app_name = "screening"
urlpatterns = [
    path("<int:patient_pk>/", views.patient_page, name="patient"),
    path("<int:patient_pk>/answer/", views.answer, name="answer"),
    path("<int:patient_pk>/answer/<int:pk>/", views.change_answer, name="change_answer"),
    path("<int:patient_pk>/add/<slug:what>/", views.add, name="add"),
    path("<int:patient_pk>/medicine/<int:pk>/stop/", views.stop_medicine, name="stop_medicine"),
    path("<int:patient_pk>/problem/<int:pk>/refute/", views.refute, name="refute"),
    path("<int:patient_pk>/allergy/<int:pk>/refute/", views.refute_allergy, name="refute_allergy"),
    path("<int:patient_pk>/trial/<int:pk>/", views.correct_trial, name="correct_trial"),
    path("<int:patient_pk>/decide/", views.decide, name="decide"),
]
