// Several runs: thresholds by FAR, and queries with what two of them find.
function operating(points) {
  const body = document.querySelector("#operating tbody"), marks = document.getElementById("marks");
  const buttons = points.map(point => element("button", { type: "button" }, point.name));

  function show(k) {
    buttons.forEach((button, m) => button.setAttribute("aria-pressed", m === k));
    body.replaceChildren(...points[k].runs.map((run, r) => {
      const group = document.querySelector(`.point[data-run="${r}"]`);
      group.style.display = run ? "" : "none";
      const cell = (text, word) => element("td", { class: "number" }, text, element("span", { class: "soft" }, word));
      if (!run) return element("tr", {}, element("td", {}, data.drawn[r]), element("td", { colspan: 3 }, "no threshold is strict enough"));
      group.setAttribute("transform", `translate(${run.x} ${run.y})`);
      return element("tr", {}, element("td", {}, element("b", {}, data.drawn[r])), cell(run.threshold.toFixed(8), ""),
        cell(percent(run.genuine / run.ofGenuine), `${grouped(run.genuine)} of ${grouped(run.ofGenuine)}`),
        cell(percent(run.impostors / run.ofImpostors), `${grouped(run.impostors)} of ${grouped(run.ofImpostors)}`));
    }));
  }
  buttons.forEach((button, k) => { button.onclick = () => show(k); });
  marks.append(...buttons);
  show(0);
}

function queriesOf(r) {
  const queries = unpacked(r.queries), found = r.runs.map(run => ({ ids: unpacked(run.ids), scores: unpacked(run.scores) }));
  const [one, other, filter, search] = ["one", "other", "filter", "search"].map(id => document.getElementById(id));
  const [before, after, count] = ["before", "after", "page"].map(id => document.getElementById(id));
  const each = 8;
  let page = 0, chosen = [];
  const right = (run, q, k = 0) => own.labels[found[run].ids[q * r.shown + k]] === own.labels[queries[q]];
  const kinds = {
    differ: (a, b) => a !== b, first: (a, b) => a && !b, second: (a, b) => !a && b, neither: (a, b) => !a && !b, all: () => true,
  };

  function name() {
    const [a, b] = [data.letters[one.value], data.letters[other.value]], kept = filter.value || "differ";
    const words = { differ: "one right, the other wrong", first: `${a} right, ${b} wrong`, second: `${b} right, ${a} wrong`,
      neither: "both wrong", all: "all queries" };
    filter.replaceChildren(...Object.entries(words).map(([value, text]) => element("option", { value }, text)));
    filter.value = kept;
  }

  function choose() {
    const [a, b] = [Number(one.value), Number(other.value)];
    chosen = [];
    queries.forEach((row, q) => {
      if (kinds[filter.value](right(a, q), right(b, q)) && (!search.value || fits(own.name(row), search.value))) chosen.push(q);
    });
    chosen.sort((p, q) => queries[p] - queries[q]);
    page = 0;
    show();
  }

  function hits(run, q) {
    const shown = element("div", { class: "found" }, element("b", {}, data.letters[run]));
    for (let k = 0; k < r.shown; k++) {
      const row = found[run].ids[q * r.shown + k], good = right(run, q, k);
      const text = `${good ? "right" : "wrong"}: ${own.name(row)}, cosine ${found[run].scores[q * r.shown + k].toFixed(4)}`;
      const tile = own.tile(row);
      tile.setAttribute("aria-label", text);
      shown.append(element("span", { class: good ? "hit" : "hit wrong", title: text }, element("span", { class: "frame" }, tile),
        element("span", { class: "name" }, good ? "" : own.name(row))));
    }
    return shown;
  }

  function show() {
    const part = chosen.slice(page * each, (page + 1) * each);
    count.textContent = chosen.length
      ? `${grouped(page * each + 1)} to ${grouped(page * each + part.length)} of ${grouped(chosen.length)} queries` : "no query";
    before.disabled = page === 0;
    after.disabled = (page + 1) * each >= chosen.length;
    document.getElementById("queries").replaceChildren(...part.map(q => {
      const asked = element("div", { class: "asked" }, own.tile(queries[q]), element("div", {}, own.name(queries[q])));
      return element("div", { class: "query" }, asked, element("div", { class: "both" }, hits(Number(one.value), q), hits(Number(other.value), q)));
    }));
  }

  data.letters.forEach((letter, k) => {
    one.append(element("option", { value: k }, letter));
    other.append(element("option", { value: k }, letter));
  });
  other.value = 1;
  name();
  for (const input of [one, other]) input.addEventListener("change", () => { name(); choose(); });
  filter.addEventListener("change", choose);
  search.addEventListener("input", choose);
  before.onclick = () => { page--; show(); };
  after.onclick = () => { page++; show(); };
  choose();
}
if (data.points.length) operating(data.points);
if (data.retrieval) queriesOf(data.retrieval);
