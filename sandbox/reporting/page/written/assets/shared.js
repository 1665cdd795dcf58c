// What all parts of a page share: the data, elements, thumbnails.
const data = JSON.parse(document.getElementById("data").textContent);
const kinds = { u2: Uint16Array, u4: Uint32Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };

function unpacked(part) {
  const text = atob(part.bytes), bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return new kinds[part.kind](bytes.buffer);
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawn(name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

function book(facts, classes) {
  const labels = unpacked(facts.labels), tiles = unpacked(facts.tiles);
  return {
    labels,
    name: row => classes[labels[row]],
    tile(row) {
      const tile = tiles[row], name = classes[labels[row]];
      if (tile < 0) return element("span", { class: "tile none" }, name);
      const made = element("span", { role: "img", "aria-label": name, title: name });
      const sheet = Math.floor(tile / facts.per_sheet), left = tile % facts.per_sheet;
      made.className = `tile ${facts.name} ${facts.name}-${sheet}`;
      const across = left % facts.columns * facts.step, down = Math.floor(left / facts.columns) * facts.step;
      made.style.backgroundPosition = `-${across}px -${down}px`;
      return made;
    },
  };
}

const own = book(data.own, data.classes);
const pairs = data.pairClasses === null ? own : book(data.pairs, data.pairClasses);
const grouped = value => value.toLocaleString("en-US");
const fits = (name, part) => name.toLowerCase().includes(part.trim().toLowerCase());
const percent = share => `${share === 0 || share === 1 ? 100 * share : (100 * share).toPrecision(4)} %`;
