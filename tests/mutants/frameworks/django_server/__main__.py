"""The billing API as a Django project: its ORM, its forms, its URL patterns and its threaded server.

Choices are, by default, what Django does by itself.
"""

from __future__ import annotations

import os
import sys

from django.apps import apps
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from tests.mutants.frameworks.choices import Choices, arguments

DEFAULTS = Choices(companion_status=201, create_status=201)


class _Quiet(WSGIRequestHandler):  # type: ignore[misc]  # Django brings no types
    def log_message(self, *_: object) -> None:
        """Say nothing of requests."""


def main() -> None:
    """Serve until told to stop."""
    given = arguments(DEFAULTS)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.mutants.frameworks.django_server.settings"
    os.environ["BILLING_CHOICES"] = given.choices.to_json()
    os.environ["BILLING_DATABASE"] = str(given.directory / "billing.sqlite3")
    application = get_wsgi_application()
    call_command("migrate", run_syncdb=True, verbosity=0)
    apps.get_app_config("django_server").fill()
    server = ThreadedWSGIServer(("127.0.0.1", given.port), _Quiet)
    server.daemon_threads = True
    server.set_app(application)
    sys.stdout.write(f"ready http://127.0.0.1:{server.server_port}/api\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
