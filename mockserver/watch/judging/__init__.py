"""Holds what passes by to the contract: each exchange to its form, and all of them to the story that they tell."""
