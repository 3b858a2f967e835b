"""The faults, a room for each area; each changes the correct server in one place."""
