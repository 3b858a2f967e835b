// Figures of the exchanges that the page holds: over time, by operation and status, and how long they took.

import { h, replace, svg, table } from "../lib/dom.js";
import { duration, moment, toneOf } from "../lib/shown.js";
import { journal } from "../lib/stream.js";

const BARS = 40;
const STEPS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, Infinity];
const NAMES = ["< 1 ms", "1–3", "3–10", "10–30", "30–100", "100–300", "0.3–1 s", "> 1 s"];
const TONES = ["good", "warn", "bad"];

function counted(lines) {
  const found = { good: 0, warn: 0, bad: 0 };
  for (const line of lines) found[toneOf(line.status)] += 1;
  return found;
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

// Bars of three tones over each other; the text beside it says the same.
function bars(columns, labels, title) {
  const most = Math.max(1, ...columns.map((one) => TONES.reduce((sum, tone) => sum + one[tone], 0)));
  const width = 600 / columns.length;
  const drawn = columns.flatMap((one, index) => {
    let top = 120;
    return TONES.filter((tone) => one[tone]).map((tone) => {
      const height = (one[tone] / most) * 110;
      top -= height;
      return svg("rect", { class: tone, x: index * width + 1, y: top, width: Math.max(1, width - 2), height });
    });
  });
  const texts = labels.map(([at, text, anchor]) => svg("text", { x: at * 600, y: 136, "text-anchor": anchor }, text));
  return h("figure", {},
    h("figcaption", {}, `${title}; the tallest bar is ${most}`),
    svg("svg", { viewBox: "0 0 600 140", role: "img", "aria-label": title }, svg("line", { x1: 0, x2: 600, y1: 120, y2: 120 }), drawn, texts));
}

function overTime(lines) {
  const times = lines.map((line) => Date.parse(line.at));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  if (first === last) return h("p", {}, `The clock stood still: all ${lines.length} were answered at ${moment(lines[0].at)} UTC.`);
  const columns = Array.from({ length: BARS }, () => ({ good: 0, warn: 0, bad: 0 }));
  lines.forEach((line, index) => {
    columns[Math.min(BARS - 1, Math.floor(((times[index] - first) / (last - first)) * BARS))][toneOf(line.status)] += 1;
  });
  const [from, to] = [first, last].map((one) => moment(new Date(one).toISOString()));
  const each = duration((last - first) / BARS / 1000);
  return bars(columns, [[0, from, "start"], [1, to, "end"]], `Requests over the world's time, ${each} a bar`);
}

function latency(lines) {
  const columns = STEPS.map((limit, index) => counted(lines.filter((line) => line.seconds < limit && line.seconds >= (STEPS[index - 1] ?? 0))));
  return bars(columns, NAMES.map((name, index) => [(index + 0.5) / NAMES.length, name, "middle"]), "Requests by how long they took");
}

function byOperation(lines) {
  const groups = Map.groupBy ? Map.groupBy(lines, (line) => line.operation ?? "no operation") : grouped(lines);
  const rows = [...groups].sort((one, other) => other[1].length - one[1].length).map(([name, some]) => {
    const { good, warn, bad } = counted(some);
    const took = some.map((line) => line.seconds).sort((one, other) => one - other);
    const statuses = [...new Set(some.map((line) => line.status ?? "none"))].sort().join(", ");
    return h("tr", {}, h("td", {}, name), [some.length, good, warn, bad].map((count) => h("td", { class: "number" }, String(count))),
      h("td", {}, statuses), [quantile(took, 0.5), quantile(took, 0.95), took.at(-1)].map((one) => h("td", { class: "number" }, duration(one))));
  });
  const heads = ["operation", "requests", "2xx", "4xx", "5xx or none", "statuses", "median", "95th of 100", "longest"];
  return table("Answers by operation", heads, rows, "");
}

function grouped(lines) {
  const groups = new Map();
  for (const line of lines) {
    const name = line.operation ?? "no operation";
    groups.set(name, [...(groups.get(name) ?? []), line]);
  }
  return groups;
}

export class FiguresPanel {
  constructor() {
    this.body = h("div", {});
    this.element = h("div", { class: "panel" }, h("h1", {}, "Figures"), this.body);
    this.known = -1;
  }

  refresh() {
    const lines = journal.lines.filter((line) => !line.mark);
    const last = lines.at(-1)?.number ?? 0;
    if (last === this.known) return;
    this.known = last;
    if (!lines.length) {
      replace(this.body, h("p", { class: "empty" }, "Nothing was said yet."));
      return;
    }
    const lost = journal.lost ? ` ${journal.lost} older ones are lost.` : "";
    replace(this.body, h("p", { class: "soft" }, `Of the ${lines.length} exchanges that the journal keeps.${lost}`),
      h("p", { class: "legend" }, [["good", "2xx"], ["warn", "4xx"], ["bad", "5xx or no answer"]].map(([tone, text]) => [h("i", { class: tone }), `${text} `])),
      h("div", { class: "charts" }, overTime(lines), latency(lines)), byOperation(lines));
  }
}
