"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const data = JSON.parse(document.getElementById("data").textContent);
  const units = data.units;
  const marks = ["o", "s", "^", "D", "v", "+", "x"];

  // ---- drawing: text enters as textContent only -------------------------------------------------

  const node = (name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const shape = (mark, x, y, r, cls) => {
    const path = {
      s: `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
      "^": `M${x} ${y - r * 1.2}l${r * 1.15} ${r * 2.1}h${-2.3 * r}z`,
      v: `M${x} ${y + r * 1.2}l${r * 1.15} ${-r * 2.1}h${-2.3 * r}z`,
      D: `M${x} ${y - r * 1.3}l${r * 1.3} ${r * 1.3}l${-r * 1.3} ${r * 1.3}l${-r * 1.3} ${-r * 1.3}z`,
      "+": `M${x - r * 1.2} ${y}h${2.4 * r}M${x} ${y - r * 1.2}v${2.4 * r}`,
      x: `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x - r} ${y + r}l${2 * r} ${-2 * r}`,
    }[mark];
    if (!path) return node("circle", { cx: x, cy: y, r, class: cls, "stroke-width": 0 });
    return node("path", { d: path, class: cls, "stroke-width": "+x".includes(mark) ? 1.5 : 0 });
  };

  const look = (group) => [marks[Math.floor(group / 7) % 7 ? (group + Math.floor(group / 7)) % 7 : group % 7], `f${group % 7}`];

  const line = (xs, ys) => xs.map((x, i) => `${i ? "L" : "M"}${x.toFixed(1)} ${ys[i].toFixed(1)}`).join("");

  const even = (count, place, shift = 0) =>
    Array.from({ length: count }, (_, i) => place((units * (i + shift)) / (shift ? count : count - 1)));

  function draw(svg, panel, small) {
    const [ticks, heights, points, groups, band, hump, chance, never] = panel;
    const [left, right, top, bottom] = small ? [2, 90, 2, 28] : [36, 352, 8, 176];
    const across = (u) => left + ((right - left) * u) / units;
    const up = (v) => bottom - ((bottom - top) * v) / units;
    if (never && !small) svg.append(node("rect", { x: left, y: top, width: right - left, height: bottom - top, class: "never" }));
    if (!small) {
      for (const [v, label] of heights) {
        svg.append(node("line", { x1: left, x2: right, y1: up(v), y2: up(v), class: "grid" }));
        svg.append(node("text", { x: left - 6, y: up(v) + 4, "text-anchor": "end" }, label));
      }
      for (const [u, label] of data.ticks[ticks]) {
        svg.append(node("line", { x1: across(u), x2: across(u), y1: bottom, y2: bottom + 4, class: "frame" }));
        svg.append(node("text", { x: across(u), y: bottom + 17, "text-anchor": "middle" }, label));
      }
    }
    const lowest = Math.max(0.24 * (bottom - top), 1);
    const xs = even(hump.length, across, 0.5);
    const tops = hump.map((h) => bottom - (lowest * h) / units);
    svg.append(node("path", { d: `${line([left, ...xs, right], [bottom, ...tops, bottom])}z`, class: "hump" }));
    const grid = even(band[0].length, across);
    const [low, middle, high] = band.map((row) => row.map(up));
    svg.append(node("path", { d: `${line(grid, low)}${line([...grid].reverse(), [...high].reverse()).replace("M", "L")}z`, class: "band" }));
    if (chance !== null) svg.append(node("line", { x1: left, x2: right, y1: up(chance), y2: up(chance), class: "chance" }));
    svg.append(node("path", { d: line(grid, middle), class: "mean" }));
    points[0].forEach((u, i) => {
      const [mark, colour] = look(groups[Math.min(i, groups.length - 1)]);
      const x = across(u);
      if (!small && points[2].length && points[2][i] !== null) {
        svg.append(node("line", { x1: x, x2: x, y1: up(points[2][i]), y2: up(points[3][i]), class: `whisker ${colour}` }));
      }
      if (points[1][i] !== null) svg.append(shape(small ? "o" : mark, x, up(points[1][i]), small ? 1.3 : 3, colour));
    });
    if (!small) svg.append(node("path", { d: `M${left} ${top}V${bottom}H${right}`, class: "frame" }));
  }

  // ---- pictures are drawn when they are looked at ------------------------------------------------

  function drawThumb(svg) {
    const first = data.panels[svg.dataset.row][0];
    if (svg.childNodes.length || !first) return;
    draw(svg, first[1], true);
  }

  function drawTask(card) {
    for (const svg of card.querySelectorAll("svg")) {
      if (svg.childNodes.length) continue;
      const found = data.panels[card.dataset.row].find(([axis]) => axis === Number(svg.dataset.axis));
      draw(svg, found[1], false);
    }
  }

  const cards = [...document.querySelectorAll(".task")];
  const thumbs = [...document.querySelectorAll("svg.thumb")];
  const watch = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      (target.matches(".task") ? drawTask : drawThumb)(target);
      watch.unobserve(target);
    }
  }, { rootMargin: "500px" });
  [...cards, ...thumbs].forEach((each) => watch.observe(each));
  addEventListener("beforeprint", () => {
    cards.forEach(drawTask);
    thumbs.forEach(drawThumb);
    document.querySelectorAll("details").forEach((part) => { part.open = true; });
  });

  const legend = document.getElementById("families");
  if (data.families.length > 1) {
    data.families.forEach((name, group) => {
      const item = document.createElement("span");
      const svg = node("svg", { viewBox: "0 0 12 12", "aria-hidden": "true" });
      svg.append(shape(look(group)[0], 6, 6, 3.4, look(group)[1]));
      item.append(svg, name || "no family");
      legend.append(item);
    });
  }

  // ---- the table: filtered by typing, sorted by its headers --------------------------------------

  const table = document.querySelector(".results");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const words = rows.map((row) => row.textContent.toLowerCase());
  const cardOf = new Map(cards.map((card) => [card.dataset.row, card]));
  const input = document.getElementById("filter");
  const shown = document.getElementById("shown");

  function filter() {
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, i) => {
      const keep = wanted.every((word) => words[i].includes(word));
      row.hidden = !keep;
      cardOf.get(row.dataset.row).hidden = !keep;
      count += keep;
    });
    shown.textContent = count === rows.length ? `${rows.length} shown` : `${count} of ${rows.length} shown`;
  }
  input.addEventListener("input", filter);
  filter();

  const key = (row, column) => {
    const cell = row.cells[column];
    const given = cell.dataset.key;
    if (given === undefined) return cell.textContent.trim().toLowerCase();
    return given === "" ? NaN : Number(given);
  };

  function sort(header, column) {
    const numeric = rows.some((row) => row.cells[column].dataset.key !== undefined);
    const before = header.getAttribute("aria-sort");
    const first = header.dataset.first || (numeric ? "descending" : "ascending");
    const other = first === "ascending" ? "descending" : "ascending";
    const order = before === first ? other : first;
    for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const keyed = [...body.rows].map((row) => [key(row, column), row]);
    keyed.sort(([a], [b]) => {
      if (numeric) return Number.isNaN(a) - Number.isNaN(b) || sign * (a > b ? 1 : a < b ? -1 : 0);
      return sign * a.localeCompare(b, undefined, { numeric: true });
    });
    body.append(...keyed.map(([, row]) => row));
    document.getElementById("tasks").append(...keyed.map(([, row]) => cardOf.get(row.dataset.row)));
  }
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = header.querySelector("button");
    if (button) button.addEventListener("click", () => sort(header, column));
  });
  body.addEventListener("click", (event) => {
    const button = event.target.closest(".open");
    if (button) cardOf.get(button.closest("tr").dataset.row).scrollIntoView({ block: "center" });
  });

  // ---- light and dark ------------------------------------------------------------------------------

  const dark = matchMedia("(prefers-color-scheme: dark)");
  document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });
})();
