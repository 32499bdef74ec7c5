"""The products that the lessons install, one folder each."""
