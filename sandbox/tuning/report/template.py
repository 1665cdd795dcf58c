"""The HTML around a document: its style for bright and dark, wide and narrow, and the script that sorts a table."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2330; --soft: #5b6475; --line: #dde2ea; --ground: #ffffff; --box: #f3f5f8;
  --accent: #0072b2 }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ef; --soft: #a3adbd; --line: #353c4a; --ground: #14181f;
  --box: #1e242e; --accent: #56b4e9 } }
* { box-sizing: border-box }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem;
  color: var(--ink); background: var(--ground); overflow-wrap: anywhere }
h1 { font-size: 1.5rem; margin: 0 0 .3rem } h2 { font-size: 1.15rem; margin: 2.6rem 0 .6rem }
p { max-width: 46rem; margin: .6rem 0 } .soft, figcaption { color: var(--soft); font-size: .88rem }
.lead { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .7rem; margin: 1.2rem 0 }
.lead div { background: var(--box); border-radius: .5rem; padding: .6rem .8rem }
.lead dt { color: var(--soft); font-size: .82rem } .lead dd { margin: 0; font-size: 1.25rem; font-weight: 600 }
.lead dd.soft { font-size: .82rem; font-weight: 400 }
pre { background: var(--box); border-radius: .5rem; padding: .8rem; white-space: pre-wrap; font-size: .86rem;
  user-select: all; border-left: 3px solid var(--accent) }
figure { margin: 1rem 0 } figcaption { margin-top: .4rem; max-width: 46rem }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 23rem), 1fr)); gap: .8rem }
.pictures.one { display: block }
img { max-width: 100%; height: auto; display: block; background: #ffffff; border-radius: .4rem }
@media (prefers-color-scheme: dark) { img { padding: .4rem } }
.wide { overflow: auto; max-height: 34rem; margin: .8rem 0; overflow-wrap: normal }
table { border-collapse: collapse; font-size: .9rem }
td, th { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
th { position: sticky; top: 0; background: var(--ground); font-weight: 600 }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td { max-width: 26rem } td.long { min-width: 15rem } td.short { white-space: nowrap }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: left;
  white-space: nowrap }
th button::after { content: " ↕"; color: var(--soft) }
th[aria-sort=ascending] button::after { content: " ↑" } th[aria-sort=descending] button::after { content: " ↓" }
@media (max-width: 40rem) { .one { overflow-x: auto } .one img { max-width: none; width: 35rem } }
@media print { .wide { max-height: none; overflow: visible } }
"""

SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes); head.append(button);
    button.onclick = () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map(row => [row.cells[column].dataset.key, row.cells[column].textContent, row]);
      const empty = row => row[0] === undefined && row[1] === "";
      rows.sort((a, b) => empty(a) - empty(b) || (down ? -1 : 1) * (a[0] !== undefined && b[0] !== undefined
        ? a[0] - b[0] : a[1].localeCompare(b[1])));
      body.append(...rows.map(row => row[2]));
    };
  });
}
"""

TEMPLATE = (
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; """
    """style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{{ document.title }}</title>
<style>"""
    + STYLE
    + """</style>
</head>
<body>
<h1>{{ document.title }}</h1>
<dl class="lead">
{% for name, figure, word in document.lead %}
<div><dt>{{ name }}</dt><dd>{{ figure }}</dd><dd class="soft">{{ word }}</dd></div>
{% endfor %}
</dl>
{% for chapter in document.chapters %}
<h2>{{ chapter.title }}</h2>
{% for block in chapter.blocks %}
{% if block is kind("Text") %}
<p>{{ block.text }}</p>
{% elif block is kind("Line") %}
<pre>{{ block.text }}</pre>
{% elif block is kind("Picture") %}
<figure>
<div class="pictures{{ " one" if block.pngs | length == 1 }}">
{% for png in block.pngs %}
<img alt="{{ block.alts[loop.index0] }}" src="data:image/png;base64,{{ png | base64 }}">
{% endfor %}
</div>
<figcaption>{{ block.caption }}</figcaption>
</figure>
{% elif block is kind("Table") %}
<div class="wide"><table{{ ' class="sortable"' | safe if block.sortable }}>
{% if block.head | join %}
<thead><tr>{% for name in block.head %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>
{% endif %}
<tbody>
{% for row in block.rows %}
<tr>{% for entry in row %}{% set c = entry | cell %}<td class="{{ c | width(block.facts) }}"
{%- if c.key is not none %} data-key="{{ c.key }}"{% endif %}>{{ c.text }}</td>{% endfor %}</tr>
{% endfor %}
</tbody></table></div>
{% endif %}
{% endfor %}
{% endfor %}
<script>"""
    + SCRIPT
    + """</script>
</body>
</html>
"""
)
