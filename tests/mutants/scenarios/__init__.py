"""A plain scenario for each rule: true of every legal server, false of each fault that breaks the rule."""
