"""Whether a rule makes sense for the values it judges, and what it may cost."""
