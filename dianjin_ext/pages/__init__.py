"""Documents in two languages, written as Markdown and as a page from the same blocks."""
