"""The search language `q`: its text as a query, and what the query matches."""
