// A curve whose paths are the data: a unit to the right is a step, a unit down is a unit of the axis (see curve.py).
const SVG = "http://www.w3.org/2000/svg";
const LINEAR = 100000; // units of a linear axis
const make = (name, attributes) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};
const round = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "NaN");
const whole = (value) => Math.round(value).toLocaleString("en-US");

// Absolute points of a path of M, l and z: a list of points for each M.
const points = (path) => (path || "").split("M").slice(1).map((part) => {
  const [x, y, ...moves] = part.match(/-?\d+/g).map(Number);
  const found = [[x, y]];
  for (let at = 0; at + 1 < moves.length; at += 2) {
    const [lastX, lastY] = found[found.length - 1];
    found.push([lastX + moves[at], lastY + moves[at + 1]]);
  }
  return found;
});

class Curve {
  constructor(figure) {
    this.figure = figure;
    this.axes = figure.querySelector(".axes");
    this.data = figure.querySelector(".data");
    const { first, top, unit, floor, axis } = figure.dataset;
    [this.first, this.top, this.unit, this.floor] = [first, top, unit, floor].map(Number);
    this.log = this.hasLog = "log" in figure.dataset;
    this.axis = axis;
    [, , this.span, this.height] = this.data.getAttribute("viewBox").split(" ").map(Number);
    [this.from, this.to] = [this.first, this.first + this.span];
  }

  // Samples of each segment: step, lowest, mean and highest value; read when they are first needed.
  get samples() {
    if (!this.read) {
      this.read = [...this.data.querySelectorAll("g")].flatMap((group) => {
        const bands = new Map();
        for (const outline of points(group.querySelector(".band")?.getAttribute("d"))) {
          const half = outline.length / 2;
          for (let at = 0; at < half; at += 1) {
            bands.set(outline[at][0], [outline[outline.length - 1 - at][1], outline[at][1]]);
          }
        }
        return points(group.querySelector(".mean").getAttribute("d")).flatMap((line) => line.map(([x, y]) => {
          const [low, high] = bands.get(x) || [y, y];
          return { group, step: this.first + x, low: this.valueOf(low), mean: this.valueOf(y), high: this.valueOf(high) };
        }));
      });
    }
    return this.read;
  }

  valueOf(unit) {
    if (!this.log) return this.top - unit * this.unit;
    return unit === this.floor ? 0 : 10 ** (this.top - unit * this.unit);
  }

  placeOf(value) {
    if (!this.log) return (this.top - value) / this.unit;
    return value > 0 ? (this.top - Math.log10(value)) / this.unit : this.floor;
  }

  // Draw all anew on the other kind of axis; the paths hold the data, so the samples are read before.
  setLog(log) {
    if (!this.hasLog || log === this.log) return;
    const { samples } = this;
    this.kept = this.kept || { top: this.top, unit: this.unit, height: this.height };
    this.log = log;
    if (log) Object.assign(this, this.kept);
    else {
      const low = Math.min(...samples.map((each) => each.low));
      const high = Math.max(...samples.map((each) => each.high));
      const margin = (high - low) * 0.04;
      Object.assign(this, { top: high + margin, unit: (high - low + 2 * margin) / LINEAR || 1, height: LINEAR });
    }
    for (const group of this.data.querySelectorAll("g")) this.draw(group, samples.filter((each) => each.group === group));
    for (const rect of this.data.querySelectorAll("rect")) rect.setAttribute("height", this.height);
    this.show(this.from, this.to);
  }

  draw(group, samples) {
    const line = (key, list) => list.map((each) => `${each.step - this.first} ${this.placeOf(each[key])}`);
    const mean = line("mean", samples);
    group.querySelector(".mean").setAttribute("d", `M${mean.join("L")}${samples.length === 1 ? "l0 0" : ""}`);
    const band = group.querySelector(".band");
    if (band) band.setAttribute("d", `M${[...line("high", samples), ...line("low", [...samples].reverse())].join("L")}z`);
  }

  // Show the steps from one to another, on a vertical axis that fits what is seen of them.
  show(from, to) {
    [this.from, this.to] = [from, to];
    let [top, bottom] = [0, this.height];
    if (from > this.first || to < this.first + this.span) {
      const { samples } = this;
      const seen = samples.filter((each, at) => each.step <= to && (each.step >= from || samples[at + 1]?.step > from));
      const places = seen.flatMap((each) => [this.placeOf(each.high), this.placeOf(each.low)]);
      if (places.length) {
        [top, bottom] = [Math.min(...places), Math.max(...places)];
        const margin = (bottom - top) * 0.06 || this.height / 50;
        [top, bottom] = [top - margin, bottom + margin];
      }
    }
    this.data.setAttribute("viewBox", `${from - this.first} ${top} ${to - from} ${bottom - top}`);
    for (const rect of this.data.querySelectorAll("rect")) {
      rect.setAttribute("y", top);
      rect.setAttribute("height", bottom - top);
    }
    this.view = { top, bottom };
    this.name();
  }

  name() {
    const { top, bottom } = this.view;
    const side = (group, ticks, line) => group.replaceChildren(...ticks.flatMap(([text, place]) => {
      const label = make("text", line(place).text);
      label.textContent = text;
      return [make("line", line(place).line), label];
    }));
    const vertical = this.values(top, bottom).map((value) => [round(value), (100 * (this.placeOf(value) - top)) / (bottom - top)]);
    side(this.axes.querySelector(".y"), vertical, (at) => ({
      line: { x2: "100%", y1: `${at}%`, y2: `${at}%` }, text: { x: -5, y: `${at}%` },
    }));
    const steps = this.nice(this.from, this.to, 5).filter(Number.isInteger).map((step) => [whole(step), (100 * (step - this.from)) / (this.to - this.from)]);
    side(this.axes.querySelector(".x"), steps, (at) => ({
      line: { y2: "100%", x1: `${at}%`, x2: `${at}%` }, text: { x: `${at}%`, y: "100%" },
    }));
    this.axes.querySelector(".limits").setAttribute("visibility", this.height === bottom - top && this.log === this.hasLog ? "visible" : "hidden");
  }

  // Values that the vertical axis names between two units.
  values(top, bottom) {
    const at = (unit) => (this.log ? 10 ** (this.top - unit * this.unit) : this.top - unit * this.unit);
    const [low, high] = [at(bottom), at(top)];
    if (!this.log || high / low < 10) return this.nice(low, high, 5);
    const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
    const every = Math.max(Math.ceil((last - first) / 6), 1);
    const found = [];
    for (let power = last; power >= first; power -= 1) if (power % every === 0) found.push(10 ** power);
    return found;
  }

  nice(low, high, most) {
    const rough = (high - low) / most;
    if (!(rough > 0)) return [];
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough * 0.999);
    const found = [];
    for (let number = Math.ceil(low / step); number <= Math.floor(high / step); number += 1) found.push(Number((number * step).toPrecision(12)));
    return found;
  }

  // What stands at a share of the width, in words.
  at(share) {
    const step = this.from + share * (this.to - this.from);
    let best = null;
    for (const each of this.samples) {
      if (!best || Math.abs(each.step - step) <= Math.abs(best.step - step)) best = each;
    }
    if (!best) return ["", share];
    const value = best.low === best.high ? round(best.mean) : `${round(best.mean)} (from ${round(best.low)} to ${round(best.high)})`;
    const alerts = [...this.data.querySelectorAll("rect")].filter((rect) => {
      const x = Number(rect.getAttribute("x")) + this.first;
      return best.step >= x && best.step <= x + Number(rect.getAttribute("width"));
    }).map((rect) => rect.querySelector("title").textContent);
    const place = (best.step - this.from) / (this.to - this.from);
    return [[`${this.axis} ${whole(best.step)}: ${value}`, ...alerts.slice(-2)].join("; "), place];
  }
}
