"""What this learner has done, and how the next step opens."""
