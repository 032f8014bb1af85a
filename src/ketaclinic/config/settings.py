"""Every setting of the clinic's server, in one place, each with a safe default.

| variable | meaning | default |
|---|---|---|
| ``KETACLINIC_DATA`` | folder of the database, the secret key and uploads | ``var`` in the working folder |
| ``DATABASE_URL`` | database of the server | SQLite in the data folder |
| ``KETACLINIC_OWNER_URL`` | the same PostgreSQL under the owner of its tables, for commands | ``DATABASE_URL`` |
| ``KETACLINIC_ANCHOR`` | folder of the audit anchor; best on another disk or host | ``anchor`` in the data folder |
| ``KETACLINIC_WORKERS`` | processes of the server (PostgreSQL only) | ``1`` |
| ``KETACLINIC_POOL_MIN``, ``KETACLINIC_POOL_MAX`` | connections one worker keeps, and has at most | ``1``, ``3`` |
| ``KETACLINIC_HOSTS`` | host names served, comma separated | ``127.0.0.1,localhost`` |
| ``KETACLINIC_IMPORT_MAX_MB`` | largest file an import reads, in MB | ``50`` |
| ``KETACLINIC_EMERGENCY_MINUTES`` | how long a chart opened in an emergency stays open, 1 to 480 | ``60`` |
| ``KETACLINIC_WRITE_WAIT_S`` | how long a write waits for another one, in seconds, all attempts together | ``5`` |
| ``KETACLINIC_KEEP_ANSWERS_DAYS`` | for how long a repeated write is given its first answer, in days | ``7`` |
| ``KETACLINIC_SECURITY_CONTACT`` | whom to tell of a weakness: ``https:…``, ``mailto:…``, ``tel:…`` | ``/security/`` |
| ``KETACLINIC_SERVING`` | ``1`` inside ``ketaclinic serve``: hashed, compressed static files | set there |
| ``KETACLINIC_BACKUP_RECIPIENTS`` | public age keys that can read the backups, comma separated | none |
| ``KETACLINIC_BACKUP_MAX_HOURS`` | ``ketaclinic check`` fails when the newest backup is older | ``24`` |
| ``KETACLINIC_DOWNTIME`` | folder of the printable sheets, best on another machine | ``downtime`` in the data folder |
| ``KETACLINIC_SAFETY_COPIES`` | how many copies of SQLite to keep from before an upgrade; ``0``: none | ``3`` |
| ``KETACLINIC_HTTPS`` | ``1``: cookies only over TLS, HSTS; a proxy sets ``X-Forwarded-Proto`` | ``0`` (loopback) |
| ``KETACLINIC_AT_REST`` | what encrypts the disks, in your words (docs/guide/encryption.md) | not declared |
| ``KETACLINIC_PROXIES`` | proxies whose ``X-Forwarded-For`` and ``-Proto`` are believed | this machine with HTTPS |
| ``KETACLINIC_IDLE_MINUTES`` | minutes without anybody until a session locks; the clinic's policy | ``10`` |
| ``KETACLINIC_FRESH_MINUTES`` | minutes a confirmation holds for signing, dose orders, exports | ``10`` |
| ``KETACLINIC_INVITATION_HOURS`` | hours in which an invitation can be used | ``72`` |
| ``KETACLINIC_DEMO`` | ``1`` inside ``ketaclinic serve --demo``: public sign-ins work, on this machine | set there |
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta

from csp.constants import NONE, SELF

from ketaclinic.config.environment import (
    POSTGRESQL,
    contact,
    data_folder,
    database,
    folder,
    is_server,
    megabytes,
    minutes,
    networks,
    number,
    server_sign_in,
    switch,
    whole,
    words,
)
from ketaclinic.config.secret import secret_key
from ketaclinic.config.wall.standing import forget

DATA = data_folder()
HTTPS = switch("KETACLINIC_HTTPS")
COOKIE_PREFIX = "__Host-" if HTTPS else ""
AT_REST = os.environ.get("KETACLINIC_AT_REST", "").strip()
TESTING = "pytest" in sys.modules
SERVING = switch("KETACLINIC_SERVING")

SECRET_KEY = "only-for-tests" if TESTING else secret_key(DATA)
DEBUG = False
ALLOWED_HOSTS = os.environ.get("KETACLINIC_HOSTS", "127.0.0.1,localhost").split(",")

STAGES = [
    "ketaclinic.audit",
    "ketaclinic.people",
    "ketaclinic.access",
    "ketaclinic.design",
    "ketaclinic.record",
    "ketaclinic.policy",
    "ketaclinic.pkpd",
    "ketaclinic.screening",
    "ketaclinic.consent",
    "ketaclinic.planning",
    "ketaclinic.treatment",
    "ketaclinic.aftercare",
    "ketaclinic.followup",
    "ketaclinic.surveillance",
    "ketaclinic.maintenance",
    "ketaclinic.journey",
    "ketaclinic.continuity",
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
    "allauth.account",
    "allauth.mfa",
    *STAGES,
]

MIDDLEWARE = [
    "ketaclinic.people.middleware.SecondWall",
    "csp.middleware.CSPMiddleware",
    "ketaclinic.config.headers.StrictHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "ketaclinic.access.middleware.Sessions",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "ketaclinic.design.middleware.BoundedBody",
    "django.middleware.csrf.CsrfViewMiddleware",
    "ketaclinic.access.middleware.WhoIsThere",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "ketaclinic.people.middleware.WhoAndWhen",
    "ketaclinic.audit.middleware.Reads",
    "ketaclinic.access.middleware.Doorkeeper",
    "ketaclinic.people.middleware.DeclaredPermission",
    "ketaclinic.design.middleware.SeenText",
    "ketaclinic.design.middleware.Refusals",
    "ketaclinic.record.middleware.OneEffect",
]

ROOT_URLCONF = "ketaclinic.config.urls"
WSGI_APPLICATION = "ketaclinic.config.wsgi.application"
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["ketaclinic.people.sign_in.StaffBackend"]
LOGIN_URL = "access:sign_in"
LOGIN_REDIRECT_URL = "journey:home"
LOGOUT_REDIRECT_URL = "access:sign_in"

DEMO = switch("KETACLINIC_DEMO")
PROXIES = networks("KETACLINIC_PROXIES", "127.0.0.0/8,::1" if HTTPS else "")
IDLE = minutes("KETACLINIC_IDLE_MINUTES", 10, longest=120)
FRESH = minutes("KETACLINIC_FRESH_MINUTES", 10, longest=120)
INVITATION = timedelta(hours=whole("KETACLINIC_INVITATION_HOURS", 72, 720))
LONGEST_SESSION = timedelta(hours=12)
"""However busy somebody is, after this they sign in anew."""

# The library keeps the second factors and checks passkeys; its pages, mails and sign-up are not in use.
MFA_ADAPTER = "ketaclinic.access.factors.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_COUNT = 10
MFA_RECOVERY_CODE_DIGITS = 10

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
                "ketaclinic.record.context.trouble",
                "ketaclinic.continuity.context.banners",
                "ketaclinic.access.context.presence",
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
        "timeout": 20,  # seconds; a request waits WRITE_WAIT_S instead
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
            "PRAGMA cache_size=-16000; PRAGMA mmap_size=134217728; "
            # Nothing is sorted on disk outside of the database; what is deleted is overwritten where that is free.
            "PRAGMA temp_store=MEMORY; PRAGMA secure_delete=FAST;"
        ),
    }

AUDIT_ANCHOR = None if TESTING else folder("KETACLINIC_ANCHOR", DATA / "anchor")
WORKERS = whole("KETACLINIC_WORKERS", 1, 32)
THREADS = 4
"""Requests that one process answers at the same time: one that never ends must not keep the others waiting."""
POOL_MAX = whole("KETACLINIC_POOL_MAX", 3, 100)
POOL_MIN = whole("KETACLINIC_POOL_MIN", 1, POOL_MAX)
SERVER_ROLE, SERVER_PASSWORD = server_sign_in()
if DATABASES["default"]["ENGINE"] == POSTGRESQL and is_server():
    # Each worker keeps its own pool; a connection goes back empty, and is looked at before it is lent again.
    pool = {"min_size": POOL_MIN, "max_size": POOL_MAX, "timeout": 10, "reset": forget}
    DATABASES["default"] |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
    DATABASES["default"]["OPTIONS"]["pool"] = pool

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
] + [{"NAME": f"ketaclinic.people.sign_in.{name}"} for name in ("NotPublicValidator", "WordsOfThePlaceValidator")]
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
# The other headers stand in ``config/headers.py``.
SECURE_CONTENT_TYPE_NOSNIFF = False
SECURE_REFERRER_POLICY = None
SECURE_CROSS_ORIGIN_OPENER_POLICY = None
# What is known of a person stays on the server: the browser holds a key to it, and no message with a name.
SESSION_ENGINE = "ketaclinic.access.store"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = int(LONGEST_SESSION.total_seconds())
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# Scripts of our pages read this one to send it back; it opens nothing by itself.
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "ketaclinic.design.views.form_expired"
THEME_COOKIE_NAME = f"{COOKIE_PREFIX}theme"
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS

EMERGENCY_ACCESS = minutes("KETACLINIC_EMERGENCY_MINUTES", 60, longest=480)
WRITE_WAIT_S = number("KETACLINIC_WRITE_WAIT_S", 5, 0.1, 60)
KEEP_ANSWERS_DAYS = number("KETACLINIC_KEEP_ANSWERS_DAYS", 7, 0.01, 400)
SECURITY_CONTACT = contact("KETACLINIC_SECURITY_CONTACT")
IMPORT_MAX_BYTES = megabytes("KETACLINIC_IMPORT_MAX_MB", 50)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = ["ketaclinic.config.uploads.InMemoryOnly"]

BACKUP_RECIPIENTS = words("KETACLINIC_BACKUP_RECIPIENTS")
BACKUP_MAX_HOURS = whole("KETACLINIC_BACKUP_MAX_HOURS", 24, 8_760)
SAFETY_COPIES = whole("KETACLINIC_SAFETY_COPIES", 3, 100, least=0)
DOWNTIME = folder("KETACLINIC_DOWNTIME", DATA / "downtime")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "ketaclinic.config.logs.WithoutValues"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    # Django's own handlers (an e-mail with the request in it, a console of its own) are not used.
    "loggers": {"django": {"handlers": [], "level": "INFO"}, "django.server": {"handlers": [], "propagate": True}},
}
