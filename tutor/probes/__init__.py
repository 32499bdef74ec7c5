"""Was it done? Facts are judged here, from what a source saw."""
