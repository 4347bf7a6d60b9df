"""The templates, and what they may use. Every text is escaped, twice: for HTML, and what is no character to look at."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import jinja2

import audioloss_cli
from audioloss_cli.model import Report, printable, shortened
from audioloss_cli.outputs._verdict import sentence, word
from audioloss_cli.outputs.html.glossary import Glossary, documented
from audioloss_cli.outputs.html.run_view import STANDINGS, RunView
from audioloss_cli.outputs.html.words import FILTERS

_HERE = Path(__file__).parent
_SCRIPTS = ("table.js", "curve.js", "zoom.js")
_MOST = {
    "most_edges": 50,  # of the timeline of an incident
    "most_lines": 30,  # incidents of one standing in a run that are told in a line each, beside those in full
    "most_defects": 200,
    "most_files": 20,
    "most_tags": 40,
    "most_modules": 60,
}
_INDENTATION = re.compile(r"\n\s+")


class Page:
    """Makes the parts of the page."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=_visible,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(FILTERS)
        self._templates.globals.update(_MOST, standings=STANDINGS, documented=documented)
        scripts = "".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS)
        self._script = f'(() => {{\n"use strict";\n{scripts}}})();\n'

    def head(self, report: Report, *, rows: bool) -> str:
        """Return everything up to the first row of the table, or up to the end of the probe's findings."""
        digest = base64.b64encode(hashlib.sha256(self._script.encode()).digest()).decode()
        return self._made(
            "page",
            report=report,
            rows=rows,
            word=word(report),
            sentence=sentence(report),
            findings={name: [one for one in report.findings if one.standing == name] for name in STANDINGS},
            version=audioloss_cli.__version__,
            style=(_HERE / "style.css").read_text(encoding="utf-8"),
            script_hash=f"sha256-{digest}",
        )

    def row(self, view: RunView, *, linked: bool) -> str:
        """Return the row of a run; ``linked`` if the page has a section for it."""
        tags = " ".join(item.tag for item in view.run.series if item.incidents)
        return self._made(
            "row",
            view=view,
            linked=linked,
            tags=shortened(tags, 400),
            entries=sum(len(found) for found in view.found.values()),
        )

    def section(self, view: RunView) -> str:
        """Return the section of a run."""
        return self._made("run", view=view)

    def tail(self, report: Report, glossary: Glossary) -> str:
        """Return everything behind the sections of the runs."""
        return self._made("end", report=report, glossary=list(glossary), script=self._script)

    def _made(self, template: str, **values: Any) -> str:
        text = self._templates.get_template(f"{template}.html.j2").render(**values)
        if template in ("row", "run"):
            text = _INDENTATION.sub("\n", text)
        return text if text.endswith("\n") else f"{text}\n"


def _visible(value: Any) -> Any:
    """Neither a control character of a stranger's name nor a mark that turns the direction of text reaches the page."""
    return shortened(printable(value)) if type(value) is str else value
