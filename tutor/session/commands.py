"""What the blocks of a step have typed into the learner's shell. Pure."""

from typing import assert_never

from tutor.course.model import Block, Edit, File, Look, Run
from tutor.probes.commandline import split_commands


def commands_of(block: Block) -> tuple[str, ...]:
    """What a block has typed, one command after the other; nothing for a file."""
    match block:
        case Run():
            return split_commands(block.run)
        case Look():
            return split_commands(block.look)
        case Edit():
            return (block.edit.strip(),)
        case File():
            return ()
        case _:
            assert_never(block)
