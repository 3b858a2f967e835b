"""Values and helpers that know nothing of billing: errors, the clock, messages, addresses, YAML with its lines."""
