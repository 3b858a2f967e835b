"""`openapi.yaml` as the judge: which operation a request is, whether it is accepted, whether a reply is allowed."""
