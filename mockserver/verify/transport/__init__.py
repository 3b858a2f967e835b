"""The one way out to the server under test, with its guards, secrets and limits."""
