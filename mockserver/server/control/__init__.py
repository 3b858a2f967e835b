"""The control interface: an HTTP API of its own below `/_mock`, for testers rather than for the code under test."""
