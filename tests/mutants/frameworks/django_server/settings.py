"""The settings of the Django project; the choices and the place of the database come from the environment."""

from __future__ import annotations

import os

from tests.mutants.frameworks.choices import Choices

CHOICES = Choices.from_json(os.environ["BILLING_CHOICES"])

SECRET_KEY = "a key that signs nothing"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "UTC"
ROOT_URLCONF = "tests.mutants.frameworks.django_server.urls"
INSTALLED_APPS = ["tests.mutants.frameworks.django_server"]
MIDDLEWARE = ["tests.mutants.frameworks.django_server.replies.refusals_as_json"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["BILLING_DATABASE"],
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
        },
    }
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        "django.security": {"handlers": ["console"], "level": "CRITICAL", "propagate": False},
    },
}
