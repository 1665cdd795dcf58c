// Queries and what they find, ten at a time: only those are in the document.
function retrieval(r) {
  const queries = unpacked(r.queries), ids = unpacked(r.ids), scores = unpacked(r.scores), precision = unpacked(r.precision);
  const filter = document.getElementById("filter"), order = document.getElementById("order");
  const search = document.getElementById("search"), count = document.getElementById("page");
  const before = document.getElementById("before"), after = document.getElementById("after");
  const each = 10;
  let page = 0, chosen = [];
  const right = (q, k) => own.labels[ids[q * r.shown + k]] === own.labels[queries[q]];
  const wrongs = Array.from(queries, (_, q) => {
    let wrong = 0;
    for (let k = 0; k < r.shown; k++) wrong += !right(q, k);
    return wrong;
  });

  function choose() {
    const part = search.value;
    chosen = [];
    queries.forEach((row, q) => {
      const kept = filter.value === "all" || (filter.value === "wrong" ? !right(q, 0) : wrongs[q] > 0);
      if (kept && (!part || fits(own.name(row), part))) chosen.push(q);
    });
    if (order.value === "worst") chosen.sort((a, b) => right(a, 0) - right(b, 0) || precision[a] - precision[b] || queries[a] - queries[b]);
    else chosen.sort((a, b) => own.labels[queries[a]] - own.labels[queries[b]] || queries[a] - queries[b]);
    page = 0;
    show();
  }

  function hit(q, k) {
    const row = ids[q * r.shown + k], good = right(q, k), score = scores[q * r.shown + k].toFixed(4);
    const name = own.name(row);
    const text = `${good ? "right" : "wrong"}: ${name}, cosine ${score}`;
    const shown = element("span", { class: good ? "hit" : "hit wrong", title: text },
      element("span", { class: "frame" }, own.tile(row)), element("span", { class: "name" }, good ? "" : name));
    shown.querySelector(".tile").setAttribute("aria-label", text);
    return shown;
  }

  function show() {
    const pages = Math.max(1, Math.ceil(chosen.length / each));
    const part = chosen.slice(page * each, (page + 1) * each);
    count.textContent = chosen.length
      ? `${grouped(page * each + 1)} to ${grouped(page * each + part.length)} of ${grouped(chosen.length)} queries` : "no query";
    before.disabled = page === 0;
    after.disabled = page >= pages - 1;
    document.getElementById("queries").replaceChildren(...part.map(q => {
      const hits = element("div", { class: "found" });
      for (let k = 0; k < r.shown; k++) hits.append(hit(q, k));
      const asked = element("div", { class: "asked" }, own.tile(queries[q]),
        element("div", {}, own.name(queries[q]), element("div", { class: "soft" }, `MAP@R ${precision[q].toFixed(4)}`)));
      return element("div", { class: "query" }, asked, hits);
    }));
  }

  for (const input of [filter, order]) input.addEventListener("change", choose);
  search.addEventListener("input", choose);
  before.onclick = () => { page--; show(); };
  after.onclick = () => { page++; show(); };
  choose();
}
if (data.retrieval) retrieval(data.retrieval);
