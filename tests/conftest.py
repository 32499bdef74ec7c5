"""What holds for every test."""

from hypothesis import settings

# A slow machine is no fault of the code: nothing is judged by the clock.
settings.register_profile("tutor", settings.default, deadline=None)
settings.load_profile("tutor")
