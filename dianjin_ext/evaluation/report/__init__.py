"""The report of evaluated models: a page, Markdown and JSON from the same facts."""

from dianjin_ext.evaluation.report.write import files, write_report

__all__ = ["files", "write_report"]
