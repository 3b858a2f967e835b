"""Which addresses are of this machine alone: money and the control of a server hang on it."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether that address or name, as it is written, is of this machine alone.

    A name other than `localhost` could be pointed anywhere, so none is looked up, and what is no address in its usual
    spelling (`0177.0.0.1`, `2130706433`) is none.
    """
    name = host.lower().removesuffix(".")
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or (mapped is not None and mapped.is_loopback)
