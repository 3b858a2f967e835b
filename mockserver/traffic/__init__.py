"""What was said: the journal and its forms, whether the spec allows it, and what is to go wrong with it."""
