"""Worlds kept in a database, for `serve --state`: what has changed is written before its answer goes out."""
