"""A proxy that forwards everything and has it judged as it passes by."""
