"""What a check states of answers, and the record of what held and what broke."""
