"""What can go wrong in a way that the person at the keyboard can mend.

    TutorError(message, *, next_action)     exit code 2, shown in plain words
    ├── CourseError(file, line, column)     a lesson is wrong
    ├── SettingsError                       a setting is wrong
    ├── ProgressError                       saved progress cannot be read or written
    ├── ShellError                          the terminal will not start
    ├── ProbeError                          a probe could not look (not the same as "not done yet")
    └── ClusterError                        a cluster cannot start, or is not there

Anything else that is raised is a bug: it ends the program with a log path and exit code 70.
`ApiError` (tutor.sandbox.api.status) is not in this tree: it becomes a Kubernetes Status.
"""

from pathlib import Path


class TutorError(Exception):
    """A failure with a cure. `next_action` is one sentence that says what to do."""

    def __init__(self, message: str, *, next_action: str) -> None:
        super().__init__(message)
        self.message = message
        self.next_action = next_action

    def __str__(self) -> str:
        return f"{self.message}\n{self.next_action}"


class CourseError(TutorError):
    """A lesson file is wrong; `file`, `line` and `column` (both from 1) say where."""

    def __init__(
        self, message: str, *, file: Path, line: int = 1, column: int = 1, next_action: str
    ) -> None:
        super().__init__(message, next_action=next_action)
        self.file = file
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}\n{self.next_action}"


class SettingsError(TutorError):
    """A setting cannot be used."""


class ProgressError(TutorError):
    """Saved progress cannot be read or written."""


class ShellError(TutorError):
    """The shell or its terminal will not start."""


class ProbeError(TutorError):
    """A probe could not look. It says nothing about whether the learner is done."""


class ClusterError(TutorError):
    """A cluster cannot be started or reached."""
