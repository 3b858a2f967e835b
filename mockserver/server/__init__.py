"""Answers requests: the pipeline of each, the operations, the control interface, the pages, HTTP."""
