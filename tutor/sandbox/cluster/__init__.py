"""One cluster: everything that is behind one API server, assembled."""
