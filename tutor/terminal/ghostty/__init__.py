"""The engine of choice: libghostty-vt, through pyghostty's raw layer. Only this room touches it.

The library has no stable release yet, hence an exact pin, a self-test at the start
(`tutor.terminal.engine`) and a fallback. What must be known of it:

- a limit on the lines of history costs it two thirds of its speed, so history is limited in bytes;
- unions cannot be passed by value through this binding: a structure of the same layout is;
- style numbers differ from page to page of its memory, so styles are kept by their bytes;
- callbacks run inside `feed`, on the thread that feeds.
"""
