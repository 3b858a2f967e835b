"""What all checks share: the options, who calls, and the records that the run has made."""
