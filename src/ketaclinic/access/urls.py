"""Signing in and out, the lock, one's own sign-in, the staff list."""

from django.urls import path

from ketaclinic.access.views import entering, lock, own, staff

app_name = "access"
urlpatterns = [
    path("sign-in/", entering.sign_in, name="sign_in"),
    path("sign-in/second/", entering.second, name="second"),
    path("sign-in/set-up/", entering.set_up, name="set_up"),
    path("sign-in/passkey/", entering.passkey_options, name="passkey_options"),
    path("invitation/", entering.invitation, name="invitation"),
    path("invitation/<str:token>/", entering.use_link, name="use_link"),
    path("sign-out/", lock.sign_out, name="sign_out"),
    path("locked/", lock.locked, name="locked"),
    path("locked/unlock/", lock.unlock, name="unlock"),
    path("confirm/", lock.confirm, name="confirm"),
    path("here/", lock.here, name="here"),
    path("here/state/", lock.state, name="state"),
    path("account/", own.account, name="account"),
    path("account/password/", own.password, name="password"),
    path("account/second-factor/", own.add_factor, name="add_factor"),
    path("account/second-factor/<int:factor_pk>/remove/", own.remove_factor, name="remove_factor"),
    path("account/recovery-codes/", own.recovery_codes, name="recovery_codes"),
    path("account/recovery-codes/new/", own.renew_codes, name="renew_codes"),
    path("account/devices/end-others/", own.end_other_devices, name="end_other_devices"),
    path("account/devices/<int:presence_pk>/end/", own.end_device, name="end_device"),
    path(
        "patients/<int:patient_pk>/access/<int:access_pk>/link/",
        staff.invite_to_care,
        name="invite_to_care",
    ),
    path(
        "patients/<int:patient_pk>/access/<int:access_pk>/withdraw/",
        staff.withdraw_from_care,
        name="withdraw_from_care",
    ),
    path("staff/", staff.staff, name="staff"),
    path("staff/new/", staff.add_staff, name="add_staff"),
    path("staff/<int:staff_pk>/", staff.change_staff, name="change_staff"),
    path("staff/<int:staff_pk>/devices/end/", staff.end_member_sessions, name="end_member_sessions"),
]
