"""The report of a study as files."""

from __future__ import annotations

from pathlib import Path

from sandbox.files import write_whole
from sandbox.tuning.report.chapters import study_document
from sandbox.tuning.report.page import html_page, markdown_page
from sandbox.tuning.report.trials_table import csv_text
from sandbox.tuning.study.record import StudyRecord


def write_report(record: StudyRecord, out: Path) -> list[Path]:
    """Write `report.html`, which needs no other file and no network, `report.md` and `trials.csv`.

    Args:
        record: the study, whatever has come of it so far.
        out: a folder; it is made, and earlier reports in it are replaced.

    Raises:
        SandboxError: the folder cannot be written.
    """
    document = study_document(record)
    contents = {
        "report.html": html_page(document),
        "report.md": markdown_page(document),
        "trials.csv": csv_text(record),
    }
    for name, content in contents.items():
        write_whole(out / name, content, make_folder=True)
    return [out / name for name in contents]
