"""The OpenAPI document of the control interface."""

from __future__ import annotations

import yaml

from mockserver.server.control.interface import DOCUMENT

SPEC = yaml.safe_load(DOCUMENT.read_text("utf-8"))
