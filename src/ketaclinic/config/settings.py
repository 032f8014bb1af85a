"""Every setting of the clinic's server, in one place, each with a safe default.

| variable | meaning | default |
|---|---|---|
| ``KETACLINIC_DATA`` | folder of the database, the secret key and uploads | ``var`` in the working folder |
| ``DATABASE_URL`` | database | SQLite in the data folder |
| ``KETACLINIC_HOSTS`` | host names served, comma separated | ``127.0.0.1,localhost`` |
| ``KETACLINIC_IMPORT_MAX_MB`` | largest file an import reads, in MB | ``50`` |
| ``KETACLINIC_SERVING`` | ``1`` inside ``ketaclinic serve``: hashed, compressed static files | set there |
| ``KETACLINIC_HTTPS`` | ``1``: cookies only over TLS, redirects to HTTPS, HSTS | ``0`` (loopback) |
"""

from __future__ import annotations

import logging
import os
import sys
from http import HTTPStatus

from csp.constants import NONE, SELF

from ketaclinic.config.environment import data_folder, database, megabytes, switch
from ketaclinic.config.secret import secret_key

DATA = data_folder()
HTTPS = switch("KETACLINIC_HTTPS")
TESTING = "pytest" in sys.modules
SERVING = switch("KETACLINIC_SERVING")

SECRET_KEY = "only-for-tests" if TESTING else secret_key(DATA)
DEBUG = False
ALLOWED_HOSTS = os.environ.get("KETACLINIC_HOSTS", "127.0.0.1,localhost").split(",")

STAGES = [
    "ketaclinic.audit",
    "ketaclinic.people",
    "ketaclinic.design",
    "ketaclinic.record",
    "ketaclinic.policy",
    "ketaclinic.screening",
    "ketaclinic.consent",
    "ketaclinic.planning",
    "ketaclinic.treatment",
    "ketaclinic.aftercare",
    "ketaclinic.followup",
    "ketaclinic.surveillance",
    "ketaclinic.maintenance",
    "ketaclinic.journey",
    "ketaclinic.interfaces.fhir",
    "ketaclinic.demo",
]
"""The rooms in the order in which a patient walks through them; the import contracts follow the same order."""

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "csp",
    *STAGES,
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "ketaclinic.people.middleware.WhoAndWhen",
    "ketaclinic.people.middleware.DeclaredPermission",
    "ketaclinic.design.middleware.Refusals",
]

ROOT_URLCONF = "ketaclinic.config.urls"
WSGI_APPLICATION = "ketaclinic.config.wsgi.application"
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["ketaclinic.people.sign_in.StaffBackend"]
LOGIN_URL = "people:sign_in"
LOGIN_REDIRECT_URL = "journey:home"
LOGOUT_REDIRECT_URL = "people:sign_in"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ketaclinic.people.context.who",
            ],
            "builtins": ["ketaclinic.design.templatetags.design"],
        },
    }
]

DATABASES = {"default": database(f"sqlite:///{DATA / 'ketaclinic.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL with synchronous=FULL: an acknowledged write survives a power cut. IMMEDIATE: no writer is refused
    # halfway through a transaction.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
            "PRAGMA cache_size=-64000; PRAGMA mmap_size=134217728; PRAGMA temp_store=MEMORY;"
        ),
    }

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
USE_TZ = True
TIME_ZONE = "UTC"
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
WHITENOISE_AUTOREFRESH = False
WHITENOISE_USE_FINDERS = not SERVING
if SERVING:
    # ``ketaclinic serve`` has put hashed and compressed copies there; browsers keep them for ever.
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    WHITENOISE_KEEP_ONLY_HASHED_FILES = True

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "ketaclinic.design.views.form_expired"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
IMPORT_MAX_BYTES = megabytes("KETACLINIC_IMPORT_MAX_MB", 50)


def _refused_on_one_line(record: logging.LogRecord) -> bool:
    """Keep a refused page to one line: who may not do something is no fault of the program."""
    if getattr(record, "status_code", 0) == HTTPStatus.FORBIDDEN:
        record.exc_info = record.exc_text = None
    return True


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"one_line": {"()": "django.utils.log.CallbackFilter", "callback": _refused_on_one_line}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["one_line"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
