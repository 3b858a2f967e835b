"""A typed Python client of the control interface, over HTTP alone; it knows nothing of the server's modules."""

from mockserver.client.control import Control
from mockserver.client.wire import ControlRefused

__all__ = ["Control", "ControlRefused"]
