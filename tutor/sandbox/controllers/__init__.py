"""The built-in controllers and the loop they run in."""
