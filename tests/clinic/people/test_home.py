from django.test import Client


def test_home_asks_a_stranger_to_sign_in(client: Client, db: None) -> None:
    reply = client.get("/")
    assert reply.status_code == 302
    assert reply["Location"].startswith("/sign-in/")


def test_home_opens_for_staff(as_prescriber: Client) -> None:
    assert as_prescriber.get("/").status_code == 200
