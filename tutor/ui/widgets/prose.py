"""Markdown of a lesson, set tighter than the library's own."""

from textual.widgets import Markdown


class Prose(Markdown):
    """Some Markdown. Links open in the browser."""

    BULLETS: list[str] = ["• ", "◦ ", "▪ "]  # noqa: RUF012 - the library's own declaration

    DEFAULT_CSS = """
    Prose {
        padding: 0;
        max-width: 96;
        MarkdownBlock {
            & > .code_inline, &:dark > .code_inline, &:light > .code_inline {
                background: transparent;
                color: $accent;
            }
        }
        & > MarkdownParagraph { margin: 0 0 1 0; }
        & > *:last-child { margin-bottom: 0; }
        & MarkdownBulletList, & MarkdownOrderedList { margin: 0 0 1 0; }
        & MarkdownBlockQuote {
            background: transparent;
            color: $text-muted;
            border-left: outer $border-blurred;
            margin: 0 0 1 0;
            padding: 0 1;
        }
        & MarkdownBlockQuote > MarkdownParagraph { margin: 0; }
        & MarkdownFence, & MarkdownFence:light {
            margin: 0 0 1 0;
            background: $surface;
            color: $foreground;
        }
        & MarkdownFence > Label { padding: 0 1; }
    }
    """
