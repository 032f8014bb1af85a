"""The look-out for names itself: whatever a name leaks through, the test during which it happened fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.canaries import ANYBODY, NAMES, PATIENTS
from tests.support.people import make_clinic, make_patient, make_staff
from tests.support.tree import ROOT

LEAKS = {
    "log": "import logging; logging.getLogger('some.library').debug('%s came', 1); "
    "logging.getLogger('ketaclinic.x').debug('Zeisig1von1 came')",
    "address": "Client().get('/sign-in/?next=/&words=Zeisig1von1')",
    "encoded": "Client().get('/sign-in/?words=%5Aeisig1von1')",
    "number": "Client().get('/sign-in/?words=K-7700001')",
    "referer": "Client().get('/sign-in/', headers={'referer': 'http://testserver/?Zeisig1von1'})",
    "cache": "from django.core.cache import cache; cache.set('count', {'of': 'Zeisig1von1'})",
    "mail": "from django.core.mail import send_mail; send_mail('Zeisig1von1', '', 'a@b.example', ['c@d.example'])",
    "error_line": "import click; click.echo('K-7700001', err=True)",
    "output_line": "import click; click.echo('Zeisig1von1')",
    "captured": "import sys; print('Zeisig1von1', file=sys.stderr)",
    "header": "answer('', headers={'X': 'K-7700001'}); Client().get('/sign-in/')",
    "cookie": "answer('', headers={'Set-Cookie': 'note=Zeisig1von1'}); Client().get('/sign-in/')",
    "title": "answer('<title>Stieglitz</title>'); Client().get('/sign-in/')",
    "page_of_a_stranger": "answer('Zeisig1von1'); Client().get('/sign-in/')",
    "error_page": "answer('Zeisig1von1', status=404); Client().get('/sign-in/')",
    "left_file": "import tempfile; open(tempfile.mkstemp()[0], 'w').write('Zeisig1von1')",
}
QUIET = {
    "nothing": "assert Client().get('/sign-in/').status_code == 200",
    "words_of_a_library": "import logging; logging.getLogger('some.library').error('%s came', 'Zeisig1von1')",
}
PLANTED = """
import pytest
from django.http import HttpResponse
from django.test import Client

@pytest.fixture
def answer(monkeypatch):
    return lambda *args, **kwargs: monkeypatch.setattr(
        "ketaclinic.access.views.entering._sign_in_page", lambda request: HttpResponse(*args, **kwargs)
    )
"""


def test_whatever_a_name_leaks_through_fails_its_test(tmp_path: Path) -> None:
    tests = [
        f"@pytest.mark.django_db\ndef test_{name}(answer):\n    {code}\n" for name, code in (LEAKS | QUIET).items()
    ]
    (tmp_path / "test_leaks.py").write_text("\n\n".join([PLANTED, *tests]))
    ours = ["-p", "tests.support.canaries", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", "pyproject.toml", "-rpE"]
    command = [sys.executable, "-m", "pytest", *ours, "--rootdir", str(ROOT), str(tmp_path)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    failed = set(re.findall(r"^ERROR .*::test_(\w+)", told, re.MULTILINE))
    assert failed == set(LEAKS) - {"left_file"}, told
    assert "Left behind: temporary file" in told
    assert f"{len(LEAKS | QUIET)} passed, {len(failed)} errors" in told


@pytest.mark.django_db
def test_everybody_in_the_tests_is_a_canary() -> None:
    clinic = make_clinic()
    patient, member = make_patient(clinic), make_staff(clinic)
    for value in (patient.given_name, patient.family_name, patient.phone, patient.email):
        assert NAMES.search(value)
    assert PATIENTS.search(patient.record_number)
    for value in (member.display_name, member.user.username):
        assert ANYBODY.search(value)
