// Values under the pointer, and zoom of all curves of a run at once.
// One run: its curves are zoomed together.
const enliven = (run) => {
  const curves = [...run.querySelectorAll("figure.curve")].map((figure) => new Curve(figure));
  if (!curves.length) return;
  const edges = () => [Math.min(...curves.map((each) => each.first)), Math.max(...curves.map((each) => each.first + each.span))];
  let [from, to] = edges();
  const show = (newFrom, newTo) => {
    const [first, last] = edges();
    const width = Math.min(Math.max(newTo - newFrom, Math.min(4, last - first)), last - first);
    from = Math.min(Math.max(newFrom, first), last - width);
    to = from + width;
    const whole = from === first && to === last;
    for (const each of curves) each.show(whole ? each.first : from, whole ? each.first + each.span : to);
  };
  const zoom = (factor, share = 0.5) => {
    const at = from + share * (to - from);
    show(at - share * (to - from) * factor, at + (1 - share) * (to - from) * factor);
  };

  const tools = document.createElement("div");
  tools.className = "tools";
  const button = (text, act, label = text) => {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: text, onclick: () => act(made) });
    if (label !== text) made.setAttribute("aria-label", label);
    tools.append(made);
    return made;
  };
  button("+", () => zoom(0.5), "zoom in");
  button("\u2212", () => zoom(2), "zoom out");
  button("all steps", () => show(...edges()));
  if (curves.some((each) => each.hasLog)) {
    const scale = button("linear axis", () => {
      const log = scale.getAttribute("aria-pressed") === "true";
      scale.setAttribute("aria-pressed", String(!log));
      curves.forEach((each) => each.setLog(log));
    });
    scale.setAttribute("aria-pressed", "false");
  }
  const hint = document.createElement("span");
  hint.className = "quiet";
  hint.textContent = "drag over a curve to zoom; with the keyboard: arrows, +, \u2212, 0";
  tools.append(hint);
  run.querySelector(".figures").before(tools);

  for (const curve of curves) attach(curve, { zoom, show, edges, window: () => [from, to] });
  for (const entry of run.querySelectorAll("article[data-from]")) {
    const [first, last] = [Number(entry.dataset.from), Number(entry.dataset.to)];
    const look = Object.assign(document.createElement("button"), { type: "button", textContent: "show on the curve" });
    look.onclick = () => {
      const [low, high] = edges();
      const margin = Math.max((last - first) * 0.5, (high - low) * 0.02, 2);
      show(Math.max(first - margin, low), Math.min(last + margin, high));
      tools.scrollIntoView({ block: "start" });
    };
    entry.append(look);
  }
};

const attach = (curve, { zoom, show, edges, window: shown }) => {
  const { figure, axes } = curve;
  const readout = Object.assign(document.createElement("output"), { className: "readout" });
  figure.append(readout);
  figure.tabIndex = 0;
  figure.setAttribute("aria-label", `curve of ${figure.querySelector(".name").textContent}`);
  const cursor = make("line", { class: "cursor", y2: "100%", visibility: "hidden" });
  const drag = make("rect", { class: "drag", height: "100%", visibility: "hidden" });
  axes.append(drag, cursor);
  let share = 0.5;
  let start = null;
  const point = (at) => {
    share = Math.min(Math.max(at, 0), 1);
    const [text, place] = curve.at(share);
    readout.textContent = text;
    const inside = place >= 0 && place <= 1;
    cursor.setAttribute("visibility", inside ? "visible" : "hidden");
    cursor.setAttribute("x1", `${place * 100}%`);
    cursor.setAttribute("x2", `${place * 100}%`);
  };
  const shareAt = (event) => {
    const box = axes.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  };
  const stop = () => { start = null; drag.setAttribute("visibility", "hidden"); };
  axes.addEventListener("pointermove", (event) => {
    const at = shareAt(event);
    point(at);
    if (start === null) return;
    drag.setAttribute("visibility", "visible");
    drag.setAttribute("x", `${Math.min(start, at) * 100}%`);
    drag.setAttribute("width", `${Math.abs(at - start) * 100}%`);
  });
  axes.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && event.pointerType !== "touch") { start = shareAt(event); axes.setPointerCapture(event.pointerId); }
  });
  axes.addEventListener("pointerup", (event) => {
    const [first, at] = [start, shareAt(event)];
    stop();
    if (first === null || Math.abs(at - first) < 0.01) return;
    const [low, width] = [curve.from, curve.to - curve.from];
    show(low + Math.min(first, at) * width, low + Math.max(first, at) * width);
  });
  axes.addEventListener("pointercancel", stop);
  axes.addEventListener("pointerleave", () => cursor.setAttribute("visibility", "hidden"));
  axes.addEventListener("dblclick", () => show(...edges()));
  axes.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // without it the page scrolls
    event.preventDefault();
    zoom(event.deltaY < 0 ? 0.8 : 1.25, shareAt(event));
  }, { passive: false });
  if (figure.classList.contains("small")) {
    const enlarge = Object.assign(document.createElement("button"), { type: "button", textContent: "larger" });
    enlarge.setAttribute("aria-label", `larger: ${figure.querySelector(".name").textContent}`);
    enlarge.onclick = () => { enlarge.textContent = figure.classList.toggle("large") ? "smaller" : "larger"; };
    figure.querySelector("figcaption").append(" ", enlarge);
  }
  const keys = {
    ArrowLeft: () => point(share - 0.01), ArrowRight: () => point(share + 0.01),
    Home: () => point(0), End: () => point(1),
    "+": () => zoom(0.5, share), "=": () => zoom(0.5, share), "-": () => zoom(2, share), 0: () => show(...edges()),
    PageUp: () => pan(-0.5), PageDown: () => pan(0.5),
  };
  const pan = (by) => { const [low, high] = shown(); show(low + by * (high - low), high + by * (high - low)); };
  figure.addEventListener("keydown", (event) => {
    if (event.target !== figure || event.ctrlKey || event.metaKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
};

for (const run of document.querySelectorAll("details.run")) {
  if (run.open) enliven(run);
  else run.addEventListener("toggle", () => enliven(run), { once: true });
}
