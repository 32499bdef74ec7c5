"""Commands for the learner's PATH. They stand alone and import nothing of ours."""
