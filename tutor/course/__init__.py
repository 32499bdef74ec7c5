"""What a lesson is: its model, its loader and its rules."""
