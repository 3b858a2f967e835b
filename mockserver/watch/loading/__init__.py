"""Reads recordings: HAR files and journals, as exchanges."""
