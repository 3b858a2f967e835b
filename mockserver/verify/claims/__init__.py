"""Claims about answers as plain data, evaluated here, by `jq` in a script, and in a file of tests alike."""
