"""The records of one world: what a store can do, and the one in memory, with an index for each order and scope."""
