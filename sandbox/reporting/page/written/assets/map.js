// The map: points on a canvas, the image under the pointer beside it.
function map(m) {
  const rows = unpacked(m.rows), across = unpacked(m.across), down = unpacked(m.down);
  const canvas = document.getElementById("map"), tip = document.getElementById("tip"), find = document.getElementById("find-map");
  const context = canvas.getContext("2d"), shapes = ["circle", "square", "triangle", "diamond"];
  let wide = 0, high = 0, at = -1;
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const place = k => m.coloured.indexOf(own.labels[rows[k]]);
  const ends = values => [Math.min(...values), Math.max(...values)];
  const [left, right] = ends(across), [top, bottom] = ends(down);
  const point = k => [16 + (wide - 32) * (across[k] - left) / (right - left || 1), 16 + (high - 32) * (down[k] - top) / (bottom - top || 1)];

  function mark(x, y, shape, size) {
    context.beginPath();
    if (shape === "circle") context.arc(x, y, size, 0, 7);
    else if (shape === "square") context.rect(x - size, y - size, 2 * size, 2 * size);
    else if (shape === "triangle") { context.moveTo(x, y - 1.3 * size); context.lineTo(x + 1.2 * size, y + size); context.lineTo(x - 1.2 * size, y + size); context.closePath(); }
    else { context.moveTo(x, y - 1.4 * size); context.lineTo(x + 1.4 * size, y); context.lineTo(x, y + 1.4 * size); context.lineTo(x - 1.4 * size, y); context.closePath(); }
  }

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    wide = canvas.clientWidth;
    high = Math.min(620, Math.max(260, wide * (bottom - top) / (right - left || 1)));
    canvas.style.height = `${high}px`;
    canvas.width = wide * ratio;
    canvas.height = high * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, wide, high);
    const order = [...rows.keys()].sort((a, b) => (place(a) >= 0) - (place(b) >= 0));
    const ink = colour("--ink"), faint = colour("--faint"), colours = m.coloured.map((_, k) => colour(`--c${k % 8}`));
    for (const k of order) {
      const [x, y] = point(k), p = place(k);
      const lit = find.value.trim() && fits(own.name(rows[k]), find.value);
      context.fillStyle = p < 0 ? faint : colours[p];
      mark(x, y, p < 0 ? "circle" : shapes[p % 4], p < 0 ? 2.6 : 4);
      context.fill();
      if (lit || k === at) { context.strokeStyle = ink; context.lineWidth = 2; mark(x, y, "circle", k === at ? 10 : 7); context.stroke(); }
    }
  }

  function look(k) {
    at = k;
    tip.hidden = k < 0;
    if (k >= 0) {
      const [x, y] = point(k);
      tip.replaceChildren(own.tile(rows[k]), element("div", {}, own.name(rows[k])));
      const room = tip.offsetWidth + 14;
      tip.style.left = `${Math.max(0, x + room > wide ? x - room : x + 14)}px`;
      tip.style.top = `${Math.max(0, Math.min(y - 20, high - tip.offsetHeight))}px`;
    }
    draw();
  }

  function under(event) {
    const frame = canvas.getBoundingClientRect(), x = event.clientX - frame.left, y = event.clientY - frame.top;
    let best = -1, away = 24;
    for (let k = 0; k < rows.length; k++) {
      const [px, py] = point(k), distance = Math.hypot(px - x, py - y);
      if (distance < away) [best, away] = [k, distance];
    }
    if (best !== at) look(best);
  }

  function step(horizontal, vertical) {
    if (at < 0) return look(0);
    const [x, y] = point(at);
    let best = at, cost = Infinity;
    for (let k = 0; k < rows.length; k++) {
      const [px, py] = point(k), along = (px - x) * horizontal + (py - y) * vertical;
      const aside = Math.abs((px - x) * vertical) + Math.abs((py - y) * horizontal);
      if (along > 0.5 && along + 2 * aside < cost) [best, cost] = [k, along + 2 * aside];
    }
    look(best);
  }

  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("pointermove", under);
  canvas.addEventListener("pointerdown", under);
  canvas.addEventListener("pointerleave", event => { if (event.pointerType !== "touch") look(-1); });
  canvas.addEventListener("focus", () => { if (at < 0 && canvas.matches(":focus-visible")) look(0); });
  canvas.addEventListener("blur", () => look(-1));
  canvas.addEventListener("keydown", event => {
    if (event.key === "Escape") return look(-1);
    if (!(event.key in arrows)) return;
    event.preventDefault();
    step(...arrows[event.key]);
  });
  find.addEventListener("input", draw);
  new ResizeObserver(() => { if (canvas.clientWidth !== wide) draw(); }).observe(canvas.parentElement);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  const signs = { circle: "M7 2a5 5 0 1 0 .01 0Z", square: "M2 2h10v10h-10Z", triangle: "M7 1L13 12H1Z", diamond: "M7 0L14 7L7 14L0 7Z" };
  const entry = (path, fill, text) => {
    const svg = drawn("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" });
    svg.append(drawn("path", { d: path, style: `fill:${fill}` }));
    return element("span", {}, svg, ` ${text}`);
  };
  const inLegend = m.coloured.map((label, k) => entry(signs[shapes[k % 4]], `var(--c${k % 8})`, data.classes[label]));
  if (rows.some((_, k) => place(k) < 0)) inLegend.push(entry(signs.circle, "var(--faint)", "other classes"));
  document.getElementById("legend").append(...inLegend);
  draw();
}
if (data.map) map(data.map);
