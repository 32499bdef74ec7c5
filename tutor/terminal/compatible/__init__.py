"""The fallback engine: bittty, pure Python, for machines that libghostty-vt has no library for.

As exact with the programs of the lessons, twenty times slower. Only this room touches bittty.
"""
