// Classes: any of them by name, fifty at a time, sorted by any column.
function classes(rows) {
  const table = document.getElementById("difficulty"), body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  const find = document.getElementById("find-class"), count = document.getElementById("class-count");
  const most = 50;
  let column = 2, down = false;
  const name = label => label === null ? "" : data.classes[label];
  const key = (row, place) => place === 0 || place === 4 ? name(row[place]) : row[place];

  function show() {
    const kept = rows.filter(row => fits(name(row[0]), find.value));
    kept.sort((a, b) => {
      const [one, other] = [key(a, column), key(b, column)];
      return (down ? -1 : 1) * (typeof one === "string" ? one.localeCompare(other) : one - other) || a[0] - b[0];
    });
    count.textContent = `${grouped(Math.min(kept.length, most))} of ${grouped(kept.length)} classes`;
    body.replaceChildren(...kept.slice(0, most).map(row => {
      const cell = (text, number) => element("td", number ? { class: "number" } : {}, text);
      return element("tr", {}, cell(name(row[0])), cell(grouped(row[1]), true), cell(row[2].toFixed(4), true),
        cell(row[3].toFixed(4), true), cell(row[4] === null ? "" : `${name(row[4])} (${grouped(row[5])})`));
    }));
  }

  heads.forEach((head, place) => {
    const button = element("button", { type: "button" }, ...head.childNodes);
    head.append(button);
    button.onclick = () => {
      down = place === column ? !down : false;
      column = place;
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      show();
    };
  });
  find.addEventListener("input", show);
  show();
}
if (data.retrieval) classes(data.difficulty);
