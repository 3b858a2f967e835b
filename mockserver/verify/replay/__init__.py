"""The sequence of a breach as steps that can be played again, with ids of its own."""
