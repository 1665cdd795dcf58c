"""What a study looks like without a server: one page, the same as Markdown, and its trials as CSV.

write     the files                    chapters  what the page says, in its order
document  sentences, tables, pictures  space     the chapters on parameters
points    trials as arrays             page      the document as HTML and as Markdown
"""

from sandbox.tuning.report.write import write_report

__all__ = ["write_report"]
