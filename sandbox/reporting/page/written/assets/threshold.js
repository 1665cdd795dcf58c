// The threshold: every figure beside it is counted, none lies between two thresholds.
function verification(v) {
  const threshold = unpacked(v.threshold), genuineFrom = unpacked(v.genuineFrom), impostorsFrom = unpacked(v.impostorsFrom);
  const edges = unpacked(v.edges), genuineIn = unpacked(v.genuineIn), impostorsIn = unpacked(v.impostorsIn);
  const left = unpacked(v.near.left), right = unpacked(v.near.right), scores = unpacked(v.near.scores);
  const dial = document.getElementById("threshold"), logarithmic = document.getElementById("logarithmic");
  const scoreSvg = document.getElementById("scores"), rocSvg = document.getElementById("roc");
  const box = { left: 44, right: 470, top: 10, bottom: 220 };
  const low = edges[0], high = edges[edges.length - 1];
  const across = score => box.left + (box.right - box.left) * (Math.min(Math.max(score, low), high) - low) / (high - low);
  const digits = Math.min(8, Math.max(4, 2 - Math.floor(Math.log10(high - low))));
  const spelt = score => score.toFixed(digits), exact = score => score.toFixed(Math.min(digits + 2, 9));
  const least = Math.floor(Math.log10(1 / v.impostors)) || -1;
  const farAcross = far => box.left + (box.right - box.left) * (1 - Math.log10(Math.max(far, 10 ** least)) / least);
  const tarDown = tar => box.bottom - (box.bottom - box.top) * tar;
  const cut = drawn("path", { class: "cut" }), at = drawn("circle", { class: "at", r: 5 });
  const buttons = [], equal = v.marks.find(mark => mark.name === "EER" && mark.place !== null);

  function drawScores() {
    const shares = [[impostorsIn, v.impostors, "impostor"], [genuineIn, v.genuine, "genuine"]];
    const most = Math.max(...shares.map(([counts, whole]) => Math.max(...counts) / whole));
    const floor = Math.min(...shares.map(([, whole]) => 0.5 / whole));
    const height = share => {
      const part = logarithmic.checked
        ? (Math.log10(Math.max(share, floor)) - Math.log10(floor)) / (Math.log10(most) - Math.log10(floor)) : share / most;
      return box.bottom - (box.bottom - box.top) * part;
    };
    scoreSvg.replaceChildren(drawn("path", { class: "axis", d: `M${box.left} ${box.bottom}H${box.right}` }));
    for (const [counts, whole, kind] of shares) {
      let path = `M${across(edges[0])} ${box.bottom}`;
      counts.forEach((count, k) => { path += `V${height(count / whole).toFixed(1)}H${across(edges[k + 1]).toFixed(1)}`; });
      scoreSvg.append(drawn("path", { class: kind, d: `${path}V${box.bottom}Z` }));
    }
    for (const [score, anchor] of [[low, "start"], [(low + high) / 2, "middle"], [high, "end"]])
      scoreSvg.append(drawn("text", { x: across(score), y: box.bottom + 16, "text-anchor": anchor }, spelt(score)));
    scoreSvg.append(drawn("text", { x: box.right, y: box.bottom + 29, "text-anchor": "end" }, "cosine"));
    scoreSvg.append(drawn("text", { x: 2, y: box.top + 8 }, percent(most).replace(/\.(\d)\d+/, ".$1")));
    if (equal) {
      const x = across(threshold[equal.place]);
      scoreSvg.append(drawn("path", { class: "equal", d: `M${x} ${box.top}V${box.bottom}` }));
      scoreSvg.append(drawn("text", { x: x - 4, y: box.top + 8, "text-anchor": "end" }, "EER"));
    }
    scoreSvg.append(cut);
  }

  function drawRoc() {
    rocSvg.replaceChildren();
    for (let power = 0; power >= least; power--) {
      const x = farAcross(10 ** power);
      rocSvg.append(drawn("path", { class: "grid", d: `M${x} ${box.top}V${box.bottom}` }));
      rocSvg.append(drawn("text", { x, y: box.bottom + 16, "text-anchor": "middle" }, power ? `1e${power}` : "1"));
    }
    for (const tar of [0, 0.25, 0.5, 0.75, 1]) {
      rocSvg.append(drawn("path", { class: "grid", d: `M${box.left} ${tarDown(tar)}H${box.right}` }));
      rocSvg.append(drawn("text", { x: box.left - 6, y: tarDown(tar) + 4, "text-anchor": "end" }, String(tar)));
    }
    let path = `M${farAcross(1)} ${tarDown(1)}`; // a FAR between two thresholds has the TAR of the stricter one
    threshold.forEach((_, k) => {
      path += `V${tarDown(genuineFrom[k] / v.genuine).toFixed(1)}H${farAcross(impostorsFrom[k] / v.impostors).toFixed(1)}`;
    });
    rocSvg.append(drawn("path", { class: "line c0", d: path }));
    if (equal) {
      const x = farAcross(impostorsFrom[equal.place] / v.impostors), y = tarDown(genuineFrom[equal.place] / v.genuine);
      rocSvg.append(drawn("path", { class: "best", d: `M${x - 5} ${y - 5}h10v10h-10z` }));
      rocSvg.append(drawn("text", { x: x + 8, y: y + 16 }, "EER"));
    }
    rocSvg.append(at);
    rocSvg.append(drawn("text", { x: box.right, y: box.bottom + 29, "text-anchor": "end" }, "false accept rate"));
  }

  function tell(k) {
    const accepted = genuineFrom[k], passed = impostorsFrom[k], tar = accepted / v.genuine, far = passed / v.impostors;
    const figures = [
      ["threshold", exact(threshold[k]), "at or above is accepted"],
      ["TAR", percent(tar), `${grouped(accepted)} of ${grouped(v.genuine)} genuine pairs accepted`],
      ["FRR", percent(1 - tar), `${grouped(v.genuine - accepted)} genuine pairs rejected`],
      ["FAR", percent(far), `${grouped(passed)} of ${grouped(v.impostors)} impostor pairs accepted`],
      ["balanced accuracy", percent((tar + 1 - far) / 2), `${grouped(v.impostors - passed)} impostor pairs rejected`],
    ];
    const list = element("dl", { class: "lead" });
    for (const [name, value, word] of figures)
      list.append(element("div", { "data-figure": name }, element("dt", {}, name), element("dd", {}, value),
        element("dd", { class: "soft" }, word)));
    const numbers = document.getElementById("numbers");
    numbers.replaceChildren(list);
    Object.assign(numbers.dataset, { threshold: threshold[k], genuine: accepted, impostors: passed });
    dial.setAttribute("aria-valuetext", `${exact(threshold[k])}, TAR ${percent(tar)}, FAR ${percent(far)}`);
  }

  function showNear(k) {
    const groups = [
      ["Genuine pairs just rejected", 1, -1], ["Genuine pairs just accepted", 1, 1],
      ["Impostors just rejected", 0, -1], ["Impostors just accepted", 0, 1],
    ];
    const cutAt = Array.prototype.findIndex.call(scores, score => score >= threshold[k]);
    const begin = cutAt < 0 ? scores.length : cutAt;
    document.getElementById("near").replaceChildren(...groups.map(([title, same, side]) => {
      const shown = [];
      for (let p = side < 0 ? begin - 1 : begin; p >= 0 && p < scores.length && shown.length < 3; p += side)
        if (v.near.same[p] === same) shown.push(p);
      const tiles = shown.map(p => element("span", { class: "pair" }, pairs.tile(left[p]), " ", pairs.tile(right[p]),
        element("span", { class: "soft" }, exact(scores[p]))));
      return element("div", { class: "near" }, element("h3", {}, title),
        element("div", { class: "pairs" }, ...(tiles.length ? tiles : ["none among the pairs on this page"])));
    }));
  }

  function show() {
    const k = Number(dial.value);
    const x = across(threshold[k]);
    cut.setAttribute("d", `M${x} ${box.top - 6}V${box.bottom + 4}`);
    at.setAttribute("cx", farAcross(impostorsFrom[k] / v.impostors));
    at.setAttribute("cy", tarDown(genuineFrom[k] / v.genuine));
    buttons.forEach((button, m) => button.setAttribute("aria-pressed", v.marks[m].place === k));
    tell(k);
    showNear(k);
  }

  const go = k => { dial.value = k; show(); };
  function nearest(values, wanted) {
    let best = 0;
    values.forEach((value, k) => { if (Math.abs(value - wanted) < Math.abs(values[best] - wanted)) best = k; });
    return best;
  }
  function dragged(svg, place) {
    svg.addEventListener("pointerdown", event => { svg.setPointerCapture(event.pointerId); place(event); });
    svg.addEventListener("pointermove", event => { if (event.buttons) place(event); });
  }
  const inside = (svg, event) => {
    const frame = svg.getBoundingClientRect();
    return (event.clientX - frame.left) * 480 / frame.width;
  };
  dragged(scoreSvg, event => {
    const share = (inside(scoreSvg, event) - box.left) / (box.right - box.left);
    go(nearest(threshold, low + share * (high - low)));
  });
  const logFar = Array.from(impostorsFrom, count => farAcross(count / v.impostors));
  dragged(rocSvg, event => go(nearest(logFar, inside(rocSvg, event))));
  for (const mark of v.marks) {
    const button = element("button", { type: "button", title: mark.note }, mark.name);
    if (mark.note) button.append(element("span", { class: "soft" }, ` (${mark.note.split(":")[0]})`));
    button.disabled = mark.place === null;
    button.onclick = () => go(mark.place);
    buttons.push(button);
  }
  document.getElementById("marks").append(...buttons);
  dial.addEventListener("input", show);
  logarithmic.addEventListener("change", () => { drawScores(); show(); });
  drawScores();
  drawRoc();
  const first = v.marks.find(mark => mark.place !== null);
  go(first ? first.place : Math.floor(threshold.length / 2));
}
if (data.verification) verification(data.verification);
