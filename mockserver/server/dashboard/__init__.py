"""The pages of the server: a dashboard on the control interface alone, and the API reference."""
