"""Paths inside volumes and containers. Source: `apis/core/validation/validation.go`."""

from tutor.sandbox.api.builtin.checks import Errors
from tutor.sandbox.api.status import invalid


def no_backsteps(value: str, path: str) -> Errors:
    """A path that does not climb."""
    return [invalid(path, value, "must not contain '..'")] if ".." in value.split("/") else []


def descending(value: str, path: str) -> Errors:
    """A relative path that does not climb."""
    absolute = [invalid(path, value, "must be a relative path")] if value.startswith("/") else []
    return absolute + no_backsteps(value, path)


def not_reserved(value: str, path: str) -> Errors:
    """A relative path that does not look like the kubelet's own."""
    errors = descending(value, path)
    if value.startswith("..") and not value.startswith("../"):
        errors.append(invalid(path, value, "must not start with '..'"))
    return errors
