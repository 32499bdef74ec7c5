"""A small `yq` after the one of mikefarah (v4): it reads YAML and JSON, and changes nothing."""
