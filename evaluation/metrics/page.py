"""The quality report as one HTML file: readable without the platform, without scripts and without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from evaluation.metrics.charts import Chart, Series, bars, legend, lines, table
from evaluation.metrics.wording import decimal, grouped

GROUPS = {
    "structure": "Form of the tables", "ledger": "Journal", "postings": "Posting rules", "balances": "Balances",
    "statements": "Statements", "presentation": "National statements",
    "subledgers": "Subledgers", "cash": "Cash and bank", "documents": "Documents",
    "tax": "Tax", "references": "References", "dates": "Dates", "quantities": "Quantities", "approvals": "Approvals",
    "digits": "Benford’s law", "shape": "Shape of the journal", "calendar": "Calendar",
    "working_capital": "Working capital", "ratios": "Ratios", "fidelity": "Likeness to the reference",
}  # fmt: skip
WORDS = {"pass": "Pass", "warn": "Warning", "fail": "Fail", "error": "Error", "idle": "Not applicable"}
_SIGNS = {"==": "=", "<=": "≤", ">=": "≥"}
_ICONS = {
    "pass": "M3 8.5 6.5 12 13 4.5",
    "warn": "M8 3v6M8 12.2v.3",
    "fail": "M4 4l8 8M12 4l-8 8",
    "error": "M4 4l8 8M12 4l-8 8",
    "idle": "M4 8h8",
}


def render_html(report: Mapping[str, Any]) -> str:
    """The report document (`report_document`) as a standalone page; same document, same text."""
    dataset, gate = report["dataset"], report["gate"]
    name = escape(str(dataset.get("name") or "dataset"))
    style = (files("evaluation.metrics") / "page.css").read_text(encoding="utf-8")
    verdict = "passes" if gate["verdict"] == "pass" else "fails"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Quality of {name}: {verdict} the {escape(gate['profile'])} gate</title><style>{style}</style></head><body>"
        '<a class="skip" href="#measures">To the measures</a>'
        f'<header class="top"><h1>Quality of {name}</h1>{_headline(report)}</header>'
        f"<main>{_tiles(report)}{_failures(report)}"
        f'<section class="charts" aria-label="Figures">{"".join(_charts(report["figures"]))}</section>'
        f'<section id="measures" aria-label="Measures">{"".join(_groups(report))}</section></main>'
        "<footer>Exact measures count offending rows in the tables themselves; nothing is sampled. "
        f"Report version {report['report_version']}.</footer></body></html>\n"
    )


def _headline(report: Mapping[str, Any]) -> str:
    gate, dataset = report["gate"], report["dataset"]
    period = dataset["period"]
    codes = list(map(str, dataset["companies"]))
    companies = f"{'Company' if len(codes) == 1 else 'Companies'} {', '.join(codes)}"
    word = "passes" if gate["verdict"] == "pass" else "fails"
    return (
        f"<p>{badge(gate['verdict'])} This dataset {word} the {escape(gate['profile'])} gate.</p>"
        f"<p>{escape(companies)}, {escape(str(period['start']))} to {escape(str(period['end']))}, "
        f"seed {escape(str(dataset['seed']))}, {grouped(dataset['tables'])} tables.</p>"
    )


def _tiles(report: Mapping[str, Any]) -> str:
    summary = report["summary"]
    verdicts = summary["verdicts"]
    tiles = (
        ("Measures", grouped(summary["metrics"])),
        ("Rows checked by exact rules", grouped(summary["checks"])),
        ("Violations", grouped(summary["violations"])),
        ("Warnings", grouped(verdicts["warn"])),
        ("Failures and errors", grouped(verdicts["fail"] + verdicts["error"])),
    )
    return (
        '<dl class="tiles">'
        + "".join(f'<div class="tile"><dt>{name}</dt><dd>{value}</dd></div>' for name, value in tiles)
        + "</dl>"
    )


def _failures(report: Mapping[str, Any]) -> str:
    failed = [row for row in report["rows"] if row["id"] in report["gate"]["failures"]]
    if not failed:
        return ""
    return _card("What broke the gate", f"{len(failed)} measures", _rows(failed, "What broke the gate"))


def _groups(report: Mapping[str, Any]) -> Iterator[str]:
    by_group: dict[str, list[Mapping[str, Any]]] = {}
    for row in report["rows"]:
        by_group.setdefault(row["group"], []).append(row)
    for group, rows in by_group.items():
        title = GROUPS.get(group, group)
        passed = sum(row["verdict"] == "pass" for row in rows)
        yield _card(title, f"{passed} of {len(rows)} pass", _rows(rows, title))


def _card(title: str, note: str, body: str) -> str:
    return f'<section class="card"><header><h2>{escape(title)}</h2><p>{escape(note)}</p></header>{body}</section>'


def _rows(rows: Sequence[Mapping[str, Any]], title: str) -> str:
    head = "".join(
        f'<th scope="col"{look}>{name}</th>'
        for name, look in (
            ("Verdict", ""),
            ("Measure", ""),
            ("Value", ' class="num"'),
            ("Bound", ' class="num"'),
            ("Rows", ' class="num"'),
        )
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(map(_row, rows))}</tbody></table></div>"
    )


def _row(row: Mapping[str, Any]) -> str:
    state = row["verdict"] if row["applicable"] else "idle"
    bound = f"{_SIGNS[row['op']]} {_value(row['threshold'])}" if row["op"] else "—"
    return (
        f"<tr><td>{badge(state)}</td><td><b>{escape(row['title'])}</b>{escape(row['sentence'])} "
        f'<span class="id">{escape(row["id"])}</span>{_samples(row)}</td>'
        f'<td class="num">{_value(row["value"])}</td><td class="num">{escape(bound)}</td>'
        f'<td class="num">{grouped(row["n"])}</td></tr>'
    )


def _samples(row: Mapping[str, Any]) -> str:
    samples = row["samples"]
    if not samples:
        return ""
    names = list(dict.fromkeys(name for sample in samples for name in sample))
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(sample.get(name))}</td>" for name in names) + "</tr>"
        for sample in samples
    )
    return (
        f'<details><summary>First {len(samples)} of them</summary><div class="scroll" tabindex="0" role="region" '
        f'aria-label="Examples of {escape(row["id"])}"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        "</table></div></details>"
    )


def badge(state: str) -> str:
    """A verdict as icon and word, never as colour alone."""
    return (
        f'<span class="badge {state}"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="{_ICONS[state]}" fill="none" '
        f'stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/></svg>{WORDS[state]}</span>'
    )


def _value(value: float | None) -> str:
    if value is None:
        return "—"
    return grouped(int(value)) if value == int(value) else decimal(value, 4)


def _cell(value: object) -> str:
    return "—" if value is None else escape(str(value))


def _charts(figures: Mapping[str, Any]) -> Iterator[str]:
    digit, counts = figures["first_digit"], figures["line_counts"]
    days, hours = figures["weekdays"], figures["hours"]
    yield _figure(
        bars,
        Chart(
            "digits",
            "First digits of invoices",
            [str(d) for d in digit["digits"]],
            [
                Series("Benford’s law", digit["expected"], "real"),
                Series("This dataset", digit["observed"], "one"),
            ],
            "percent",
            f"Share of {digit['n']} invoices by the first digit of their net amount, beside Benford’s law.",
        ),
    )
    yield _figure(
        bars,
        Chart(
            "lines",
            "Lines per document",
            counts["bins"],
            [
                Series("Published", counts["published"], "real"),
                Series("This dataset", counts["observed"], "one"),
            ],
            "percent",
            f"Share of {counts['n']} journal documents by number of lines, beside published journals.",
        ),
    )
    yield _figure(
        bars,
        Chart(
            "weekdays",
            "Postings by weekday",
            days["days"],
            [Series("Entries", days["postings"], "one")],
            "count",
            "Journal entries by the weekday of their posting date.",
        ),
    )
    yield _figure(
        bars,
        Chart(
            "hours",
            "Entries by hour (UTC)",
            [str(hour) for hour in hours["hours"]],
            [Series("People", hours["people"], "one"), Series("Batch", hours["batch"], "two")],
            "count",
            "Journal entries by the hour in which they were entered, by people and by batch jobs.",
        ),
    )
    for one in figures["monthly_debit"]:
        code = one["company_code"]
        yield _figure(
            lines,
            Chart(
                f"debit-{code}",
                f"Debits by period, company {code}",
                one["periods"],
                [Series("Debits", [float(value) for value in one["debit"]], "one")],
                "money",
                f"Sum of debits of company {code} in each fiscal period, in its currency.",
            ),
        )
    for one in figures["receivables_ageing"]:
        code = one["company_code"]
        yield _figure(
            bars,
            Chart(
                f"ageing-{code}",
                f"Receivables by age, company {code}",
                one["buckets"],
                [Series("Open amount", [max(float(value), 0.0) for value in one["amount"]], "one")],
                "money",
                f"Open receivables of company {code} at the end of the period, by days overdue.",
            ),
        )


def _figure(draw: Callable[[Chart], str], chart: Chart) -> str:
    body = f"{legend(chart)}{draw(chart)}{table(chart)}"
    return f'<figure class="card"><header><h2>{escape(chart.title)}</h2></header>{body}</figure>'
