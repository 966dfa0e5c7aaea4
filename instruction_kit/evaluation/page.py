"""The frame of a page: a title and what stands in it go in, one HTML file comes out that needs nothing beside it.

No script, no font, no file and no service: the page's own policy forbids them. Its colours follow the reader's choice
of light or dark, tell apart for colour-blind eyes (Okabe and Ito, https://jfly.uni-koeln.de/color/), and print.
"""

from collections.abc import Sequence

from instruction_kit.evaluation.grid import Grid
from instruction_kit.evaluation.markup import Markup, element, joined, wide

STYLE = """
:root{--ink:#1f2328;--quiet:#59636e;--line:#d8dee4;--band:#f3f5f7;--page:#fff;--chance:#b3261e;--box:#cfe0f1;
--c0:#0072b2;--c1:#c24d00;--c2:#007a5a;--c3:#8f3f7e;--c4:#6b5900;--c5:#444}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--quiet:#9aa5b1;--line:#353c44;--band:#1c2128;--page:#12161b;
--chance:#ff8f85;--box:#24405c;--c0:#6db8f0;--c1:#ffa35c;--c2:#4fd0a5;--c3:#e29ad0;--c4:#d8c251;--c5:#c4ccd4}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.25rem 4rem;max-width:60rem;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .4rem}h2{font-size:1.3rem;margin:2.6rem 0 .4rem}
h3{font-size:1.05rem;margin:1.8rem 0 .4rem}
p,li{max-width:48rem;overflow-wrap:anywhere}code{font-size:.9em;overflow-wrap:anywhere}
figure{margin:1rem 0}figcaption{color:var(--quiet);font-size:.85rem;max-width:48rem}
img{max-width:100%;height:auto}
svg{display:block;width:100%;height:auto;font:13px system-ui,sans-serif}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:.2rem 0;font-size:.9rem}
.key{display:inline-flex;align-items:center;gap:.35rem}.key svg{width:16px;height:16px;display:inline-block}
text{fill:var(--ink)}.tick{text-anchor:middle;fill:var(--quiet);font-size:12px}.figure{text-anchor:end}
.head{font-weight:600}.band{fill:var(--band)}.grid{stroke:var(--line)}.zero{stroke:var(--quiet);stroke-width:1.5}
.chance{stroke:var(--chance);stroke-width:2;stroke-dasharray:4 2}.box{fill:var(--box)}
.median{stroke:var(--ink);stroke-width:2}.bar{stroke-width:2.2}.mark{stroke-width:2}
.s0{stroke:var(--c0);fill:var(--c0)}.s1{stroke:var(--c1);fill:var(--c1)}.s2{stroke:var(--c2);fill:var(--c2)}
.s3{stroke:var(--c3);fill:var(--c3)}.s4{stroke:var(--c4);fill:var(--c4)}.s5{stroke:var(--c5);fill:var(--c5)}
.hollow{fill:var(--page)}.small{fill-opacity:.35;stroke-width:1.2}
.wide{overflow-x:auto}.wide>svg,.wide>img{min-width:38rem}
table{border-collapse:collapse;font-size:.88rem;margin:.6rem 0 1.2rem}
caption{text-align:left;font-weight:600;padding:.2rem 0}
th,td{padding:.22rem .6rem;border-bottom:1px solid var(--line);text-align:right;font-variant-numeric:tabular-nums}
th{font-weight:600}thead th{color:var(--quiet)}.name{text-align:left}
summary{cursor:pointer;color:var(--quiet)}summary:focus-visible{outline:2px solid var(--c0)}
@media print{body{max-width:none;padding:0}figure,table{break-inside:avoid}}
""".strip()
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(title: str, *content: str) -> str:
    """Write a page."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>'),
        element("title", title),
        Markup(f"<style>{STYLE}</style>"),
    )
    body = element("body", element("main", joined("", element("h1", title), *content, "")))
    return f"<!DOCTYPE html>\n{element('html', joined(head, body), lang='en')}\n"


def table_of(grid: Grid) -> Markup:
    """Make a table of text."""
    head = element("tr", *(_cell(name, place, grid, "col") for place, name in enumerate(grid.columns)))
    rows = [
        element("tr", *(_cell(text, place, grid, "row" if place == grid.num_names - 1 else "") for place, text in row))
        for row in map(enumerate, grid.rows)
    ]
    body = joined("", *rows, "")
    made = element("table", element("caption", grid.title), element("thead", head), element("tbody", body))
    return wide(made, label=grid.title)


def folded(summary: str, *content: str) -> Markup:
    """What a reader opens to see."""
    return element("details", element("summary", summary), joined("", *content))


def items(lines: Sequence[str]) -> Markup:
    """A list."""
    return element("ul", *(element("li", line) for line in lines))


def _cell(text: str, place: int, grid: Grid, scope: str) -> Markup:
    name = {"class_": "name"} if place < grid.num_names else {}
    return element("th", text, **name, scope=scope) if scope else element("td", text, **name)
