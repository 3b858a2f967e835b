"""Small servers of the billing API, written from its contract alone, that the verifier is proved on."""
