"""Long runs against one server: fuzzed requests, races and mixed load, with what it held in memory and descriptors."""
