"""What the API means, without sockets, clock or loop."""
