"""The HTML report: one page, without anything from elsewhere."""
