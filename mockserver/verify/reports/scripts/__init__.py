"""What shows a breach again: `curl` lines, a shell script, a file of tests."""
