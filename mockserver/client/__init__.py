"""A typed Python client of the control interface, over HTTP alone; it knows nothing of the server's modules."""

from mockserver.client.connection import ControlRefused
from mockserver.client.control import Control

__all__ = ["Control", "ControlRefused"]
