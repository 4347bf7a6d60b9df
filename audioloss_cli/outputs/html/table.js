// The table of runs: search, filter, sort; sections that open when they are asked for; the theme; what print shows.
(() => {
  const make = (name, properties = {}, attributes = {}) => {
    const made = Object.assign(document.createElement(name), properties);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  const themes = ["auto", "light", "dark"];
  const theme = make("button", { type: "button", textContent: "theme: auto" });
  theme.onclick = () => {
    const next = themes[(themes.indexOf(document.documentElement.dataset.theme || "auto") + 1) % themes.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    theme.textContent = `theme: ${next}`;
  };
  document.getElementById("theme-place").append(theme);

  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  if (location.hash) open();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    if (closed.length > 200) closed = []; // hundreds of clean runs are not worth the paper
    closed.forEach((each) => { each.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((each) => { each.open = false; }));

  const table = document.getElementById("table");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const texts = rows.map((row) => `${row.textContent} ${row.dataset.tags}`.toLowerCase());
  const sections = rows.map((row) => {
    const link = row.querySelector("th a");
    return link && document.getElementById(link.hash.slice(1));
  });
  const status = document.getElementById("shown");
  const controls = document.getElementById("controls");
  const chosen = new Set();

  const search = make("input", { type: "search", placeholder: "search runs, codes, tags  ( / )" }, { "aria-label": "search runs" });
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, index) => {
      const fits = (!chosen.size || chosen.has(row.dataset.state)) && words.every((word) => texts[index].includes(word));
      row.hidden = !fits;
      if (sections[index]) sections[index].hidden = !fits;
      shown += fits;
    });
    const all = rows.length === 1 ? "1 run" : `${rows.length} runs`;
    status.textContent = shown === rows.length ? all : `${shown} of ${all}`;
  };
  search.oninput = show;
  controls.append(search);

  const counts = new Map();
  rows.forEach((row) => counts.set(row.dataset.state, (counts.get(row.dataset.state) || 0) + 1));
  for (const [state, count] of counts) {
    const button = make("button", { type: "button", textContent: `${state} ${count}` }, { "aria-pressed": "false" });
    button.onclick = () => {
      if (!chosen.delete(state)) chosen.add(state);
      button.setAttribute("aria-pressed", String(chosen.has(state)));
      show();
    };
    controls.append(button);
  }

  const keyOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.key === undefined ? cell.textContent : Number(cell.dataset.key);
  };
  const compare = (one, other) => (typeof one === "number" ? one - other : one.localeCompare(other, undefined, { numeric: true }));
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (head.textContent === "curve") return;
    const button = make("button", { type: "button", textContent: head.textContent });
    button.onclick = () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const each of head.parentElement.cells) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keyed = rows.map((row) => [keyOf(row, column), row]);
      keyed.sort((one, other) => (down ? -1 : 1) * compare(one[0], other[0]));
      body.append(...keyed.map((each) => each[1]));
    };
    head.replaceChildren(button);
  });

  const move = (distance) => {
    const links = [...body.rows].filter((row) => !row.hidden).map((row) => row.querySelector("th a")).filter(Boolean);
    const at = links.indexOf(document.activeElement);
    const next = links[Math.min(Math.max(at + distance, 0), links.length - 1)];
    if (next) next.focus();
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    } else if (document.activeElement === search) {
      if (event.key === "Escape") { search.value = ""; show(); }
      if (event.key === "ArrowDown") { event.preventDefault(); move(1); }
    } else if (body.contains(document.activeElement) && /^Arrow(Up|Down)$/.test(event.key)) {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    }
  });
  show();
})();
