"""One world: its records, its webhooks' outbox, the fixtures that it comes from and the database that keeps it."""
