"""The HTTP face: WSGI to plain values and back, for the API and for the control interface."""
