"use strict";
// The explorer: unpacks the counts that lie in the page, filters them, draws. No request, no
// framework. Everything from the data enters the page as text, never as markup.
(async () => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const text = data.text;
  const fill = (pattern, fields) => pattern.replace(/\{(\w+)\}/g, (_, name) => String(fields[name]));
  const trouble = (message) => { $("trouble").textContent = message; $("trouble").hidden = false; };

  // ---- words and numbers ----
  const whole = new Intl.NumberFormat(data.numbers, { useGrouping: "always" });
  const percent = new Intl.NumberFormat(data.numbers, { style: "percent", maximumFractionDigits: 1 });
  const score = new Intl.NumberFormat(data.numbers, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const compact = new Intl.NumberFormat(data.numbers, { notation: "compact", maximumSignificantDigits: 3 });
  const shortDay = new Intl.DateTimeFormat(data.locale, { day: "numeric", month: "short", timeZone: "UTC" });
  const longDay = new Intl.DateTimeFormat(data.locale, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  const said = (iso, format = longDay) => format.format(new Date(iso + "T00:00:00Z"));
  // marks that turn the direction of what follows have no place in a name
  const plain = (name) => name.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Cc}]/gu, "");

  // ---- the page's elements ----
  const SVG = "http://www.w3.org/2000/svg";
  const put = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const el = (tag, attributes = {}, ...children) => put(document.createElement(tag), attributes, children);
  const draw = (tag, attributes = {}, ...children) => put(document.createElementNS(SVG, tag), attributes, children);

  // ---- the data: see pack.py and cube.py ----
  const inflate = async (packed) => {
    const letters = atob(packed), bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };
  const numbers = (bytes) => { // null becomes -1
    const out = new Float64Array(bytes.length);
    let n = 0, value = 0, weight = 1;
    for (const byte of bytes) {
      value += (byte & 127) * weight;
      weight *= 128;
      if (byte < 128) { out[n++] = value - 1; value = 0; weight = 1; }
    }
    return out.subarray(0, n);
  };
  if (!("DecompressionStream" in self)) return trouble(text.old_browser);
  const columns = {};
  let samples = [];
  try {
    const names = Object.keys(data.columns);
    const unpacked = await Promise.all(names.map((name) => inflate(data.columns[name])));
    names.forEach((name, i) => { columns[name] = numbers(unpacked[i]); });
    samples = JSON.parse(new TextDecoder().decode(await inflate(data.samples)));
  } catch {
    return trouble(text.broken);
  }
  const rows = columns.day.length;
  const firstTag = new Uint32Array(rows + 1);
  if (data.exact) for (let i = 0; i < rows; i++) firstTag[i + 1] = firstTag[i] + columns.tags[i];

  const hasTag = (i, tag) => {
    for (let k = firstTag[i]; k < firstTag[i + 1]; k++) if (columns.tag[k] === tag) return true;
    return false;
  };

  // ---- the filters ----
  const LABELS = ["negative", "neutral", "positive"];
  const NONE = "none";
  const empty = { from: "", to: "", tag: "", label: "", confidence: "", language: "", source: "", topic: "" };
  const state = { ...empty };
  let measure = data.metrics.length ? data.metrics[0].column : "";
  let page = 0;
  const DAY = 1, TAG = 2, MOOD = 4, LANGUAGE = 8, SOURCE = 16, TOPIC = 32;
  const place = (value) => (value === "" ? null : value === NONE ? -1 : Number(value));
  const classes = () => Array.from({ length: 7 }, (_, c) => {
    const label = c === 0 ? NONE : LABELS[(c - 1) % 3];
    const sure = c === 0 ? "" : c > 3 ? "low" : "high";
    return (state.label === "" || state.label === label) && (state.confidence === "" || state.confidence === sure);
  });
  const span = () => {
    if (!state.from && !state.to) return [-1, Infinity]; // also what has no day
    let low = data.dates.findIndex((day) => day >= state.from);
    if (low < 0) low = data.dates.length;
    let high = data.dates.length - 1;
    while (high >= 0 && state.to && data.dates[high] > state.to) high--;
    return [low, high];
  };

  // Every count at once. A list counts under all filters but its own, so that it shows the choices.
  const tally = () => {
    const D = data.dates.length;
    const sums = columns[measure];
    const t = {
      n: 0, days: new Float64Array(D), sums: new Float64Array(D), moods: new Float64Array(3 * D),
      mood: new Float64Array(7), language: new Float64Array(data.languages.length + 1),
      source: new Float64Array(data.sources.length + 1), tag: new Float64Array(data.tags.length),
      topic: new Float64Array(data.topics.length), of: { mood: 0, language: 0, source: 0, tag: 0, topic: 0 },
    };
    const [low, high] = span();
    const wanted = classes();
    const tag = place(state.tag), topic = place(state.topic);
    const language = place(state.language), source = place(state.source);
    const add = (i, miss, w) => {
      const day = columns.day[i], mood = columns.class[i];
      if (miss === 0) t.n += w;
      if ((miss & ~DAY) === 0 && day >= 0) {
        t.days[day] += w;
        if (sums && sums[i] > 0) t.sums[day] += sums[i];
      }
      if ((miss & ~(DAY | MOOD)) === 0 && day >= 0 && mood > 0 && mood < 4) t.moods[3 * day + mood - 1] += w;
      if ((miss & ~MOOD) === 0) { t.mood[mood] += w; t.of.mood += w; }
      if ((miss & ~LANGUAGE) === 0) { t.language[columns.language[i] < 0 ? data.languages.length : columns.language[i]] += w; t.of.language += w; }
      if ((miss & ~SOURCE) === 0) { t.source[columns.source[i] < 0 ? data.sources.length : columns.source[i]] += w; t.of.source += w; }
      if ((miss & ~TAG) === 0) t.of.tag += w;
      if ((miss & ~TOPIC) === 0) t.of.topic += w;
    };
    for (let i = 0; i < rows; i++) {
      const day = columns.day[i];
      let miss = (day < low || day > high ? DAY : 0) | (wanted[columns.class[i]] ? 0 : MOOD);
      if (language !== null && columns.language[i] !== language) miss |= LANGUAGE;
      if (source !== null && columns.source[i] !== source) miss |= SOURCE;
      if (data.exact) {
        if (topic !== null && columns.topic[i] !== topic) miss |= TOPIC;
        if (tag !== null && !hasTag(i, tag)) miss |= TAG;
        add(i, miss, 1);
        if ((miss & ~TAG) === 0) for (let k = firstTag[i]; k < firstTag[i + 1]; k++) t.tag[columns.tag[k]] += 1;
        if ((miss & ~TOPIC) === 0 && columns.topic[i] >= 0) t.topic[columns.topic[i]] += 1;
        continue;
      }
      const w = columns.videos[i];
      if (columns.tag[i] >= 0) {
        if (miss === 0 && topic === null) t.tag[columns.tag[i]] += w;
        if (columns.tag[i] === tag) add(i, miss, w);
      } else if (columns.topic[i] >= 0) {
        if (miss === 0 && tag === null) t.topic[columns.topic[i]] += w;
        if (columns.topic[i] === topic) add(i, miss, w);
      } else {
        if (tag === null && topic === null) add(i, miss, w);
        else if (miss === 0) { t.of.tag += w; t.of.topic += w; } // what shares of a list are of
      }
    }
    if (!data.exact && tag !== null) t.of.tag -= t.n;
    if (!data.exact && topic !== null) t.of.topic -= t.n;
    return t;
  };
  const passing = () => {
    const [low, high] = span();
    const wanted = classes();
    const same = (filter, value) => filter === "" || place(filter) === (value === null ? -1 : value);
    return samples.filter((row) => {
      const day = row.day === null ? -1 : row.day;
      return day >= low && day <= high && wanted[row.class] && same(state.language, row.language) &&
        same(state.source, row.source) && same(state.topic, row.topic) &&
        (state.tag === "" || row.tag.includes(place(state.tag)));
    });
  };

  // ---- drawings over days ----
  const marks = (left, step) => { // events, those of near days above each other
    const ends = [];
    return data.events.filter((event) => event.place !== null).map((event) => {
      const x = left + (event.place + 0.5) * step;
      let level = ends.findIndex((end) => end <= x - 7);
      if (level < 0) level = ends.length;
      ends[level] = x + 7;
      return { ...event, x, level };
    });
  };
  const drawDays = (host, { height, label, top, bars, told }) => {
    const D = data.dates.length;
    const width = Math.max(200, host.clientWidth);
    const left = 52; // the same in every plot, so that days stand above each other
    const step = (width - left) / D;
    const events = marks(left, step);
    const roof = 6 + 14 * (1 + Math.max(-1, ...events.map((event) => event.level)));
    const floor = roof + height;
    const svg = draw("svg", { class: "days", role: "img", "aria-label": label, height: floor + 22, viewBox: `0 0 ${width} ${floor + 22}` });
    for (const share of [0.5, 1]) {
      const y = floor - share * height;
      svg.append(draw("line", { class: "grid", x1: left, x2: width, y1: y, y2: y }));
      if (share === 1 || top === 1) {
        svg.append(draw("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, top === 1 ? percent.format(share) : (top < 1e5 ? whole : compact).format(top)));
      }
    }
    const zero = top === 1 ? percent.format(0) : "0";
    svg.append(draw("text", { x: left - 6, y: floor + 4, "text-anchor": "end" }, zero));
    const [low, high] = span();
    const thick = Math.max(0.8, Math.min(60, 0.82 * step));
    for (let day = 0; day < D; day++) {
      const x = left + (day + 0.5) * step - thick / 2;
      let y = floor;
      for (const [kind, share] of bars(day)) {
        if (!(share > 0)) continue;
        const h = share * height;
        y -= h;
        svg.append(draw("rect", { class: kind + (day < low || day > high ? " out" : ""), x: x.toFixed(2), y: y.toFixed(2), width: thick.toFixed(2), height: h.toFixed(2) }));
      }
    }
    svg.append(draw("line", { class: "base", x1: left, x2: width, y1: floor, y2: floor }));
    for (const event of events) {
      svg.append(draw("line", { class: "rule", x1: event.x, x2: event.x, y1: roof - 2, y2: floor }));
      svg.append(draw("text", { class: "letter", x: event.x, y: roof - 5 - 14 * event.level, "text-anchor": "middle" }, plain(event.key)));
    }
    const every = Math.max(1, Math.ceil(D / Math.max(1, Math.floor((width - left) / 70))));
    for (let day = 0; day < D; day += every) {
      const x = left + (day + 0.5) * step;
      if (x + 20 > width && day) break;
      svg.append(draw("text", { x: Math.max(x, left + 2), y: floor + 16, "text-anchor": day ? "middle" : "start" }, said(data.dates[day], shortDay)));
    }
    for (let day = 0; day < D; day++) {
      svg.append(draw("rect", { class: "hit", x: left + day * step, y: roof, width: step, height }, draw("title", {}, `${said(data.dates[day])}: ${told(day)}`)));
    }
    // a mouse may drag a range; the same is in the two date fields for everybody
    const at = (event) => {
      const box = svg.getBoundingClientRect();
      return Math.min(D - 1, Math.max(0, Math.floor((event.clientX - box.left - left) / step)));
    };
    let start = null, drag = null;
    const ends = (event) => [Math.min(start, at(event)), Math.max(start, at(event))];
    svg.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      start = at(event);
      svg.setPointerCapture(event.pointerId);
      drag = draw("rect", { class: "drag", y: roof, height });
      svg.append(drag);
    });
    svg.addEventListener("pointermove", (event) => {
      if (start === null) return;
      const [a, b] = ends(event);
      drag.setAttribute("x", left + a * step);
      drag.setAttribute("width", (b - a + 1) * step);
    });
    svg.addEventListener("pointerup", (event) => {
      if (start === null) return;
      const [a, b] = ends(event);
      start = null;
      change({ from: data.dates[a], to: lastDay(b) });
    });
    host.replaceChildren(svg);
  };
  // the last day that a place of the dates stands for
  const lastDay = (i) => {
    if (data.resolution === "day") return data.dates[i];
    if (i + 1 >= data.dates.length) return data.last;
    return new Date(Date.parse(data.dates[i + 1]) - 864e5).toISOString().slice(0, 10);
  };
  const peakOf = (values) => { // the scale is that of all days, the peak that of the chosen ones
    const [low, high] = span();
    const chosen = values.map((n, day) => (day < low || day > high ? -1 : n));
    const most = Math.max(0, ...chosen);
    const told = most ? fill(text.peak, { day: said(data.dates[chosen.indexOf(most)], shortDay), n: whole.format(most) }) : text.selected_none;
    return { top: Math.max(0, ...values), told };
  };
  const drawTime = (t) => {
    const ends = { from: said(data.dates[0]), to: said(data.last) };
    const counted = peakOf(t.days);
    const title = text["videos_a_" + data.resolution];
    $("days-title").textContent = `${title}: ${counted.told}`;
    drawDays($("days"), {
      height: 130, top: Math.max(1.0000001, counted.top), bars: (day) => [["main", counted.top ? t.days[day] / counted.top : 0]],
      told: (day) => whole.format(t.days[day]), label: fill(text.svg_days, { title, ...ends, peak: counted.told }),
    });
    if ($("sums")) {
      const summed = peakOf(t.sums);
      const name = fill(text["measure_a_" + data.resolution], { measure: data.metrics.find((metric) => metric.column === measure).name });
      $("sums-title").textContent = `${name}: ${summed.told}`;
      drawDays($("sums"), {
        height: 90, top: Math.max(1.0000001, summed.top), bars: (day) => [["main", summed.top ? t.sums[day] / summed.top : 0]],
        told: (day) => whole.format(t.sums[day]), label: fill(text.svg_days, { title: name, ...ends, peak: summed.told }),
      });
    }
    if ($("moods")) {
      const of = (day) => t.moods[3 * day] + t.moods[3 * day + 1] + t.moods[3 * day + 2];
      const shares = (day) => LABELS.map((label, k) => [label, of(day) ? t.moods[3 * day + k] / of(day) : 0]);
      const told = (list) => list.map(([label, share]) => `${data.labels[label]} ${percent.format(share)}`).join(", ");
      const total = [0, 0, 0].map((_, k) => t.moods.reduce((sum, n, i) => (i % 3 === k ? sum + n : sum), 0));
      const all = total[0] + total[1] + total[2];
      const label = fill(text.svg_shares, { what: text.high, shares: told(LABELS.map((name, k) => [name, all ? total[k] / all : 0])) });
      drawDays($("moods"), { height: 80, top: 1, bars: shares, told: (day) => `${told(shares(day))} (${whole.format(of(day))})`, label });
    }
  };
  const dailyNumbers = (t) => {
    const host = $("numbers").querySelector("div");
    if (!$("numbers").open) return host.replaceChildren();
    const [low, high] = span();
    const heads = [text.day, text.videos, ...(measure ? [data.metrics.find((metric) => metric.column === measure).name] : [])];
    const body = el("tbody");
    data.dates.forEach((day, i) => {
      if (i < low || i > high) return;
      const row = el("tr", {}, el("th", { scope: "row" }, said(day)), el("td", { class: "n" }, whole.format(t.days[i])));
      if (measure) row.append(el("td", { class: "n" }, whole.format(t.sums[i])));
      body.append(row);
    });
    const head = el("tr", {}, ...heads.map((name, i) => el("th", { scope: "col", class: i ? "n" : null }, name)));
    return host.replaceChildren(el("table", {}, el("thead", {}, head), body));
  };

  // ---- lists to choose from ----
  const share = (n, of) => (!of ? "–" : n > 0 && n / of < 0.0005 ? `<${percent.format(0.001)}` : percent.format(n / of)); // some are not none
  const bar = (share, kind = "main") => draw("svg", { "aria-hidden": "true", viewBox: "0 0 100 10", preserveAspectRatio: "none" },
    draw("rect", { class: kind, width: (100 * Math.min(1, share)).toFixed(2), height: 10 }));
  const drawList = (id, title, items, of, note = "") => {
    const host = $(id + "-list");
    if (!host) return;
    const shown = items.filter((item) => item.n > 0 || state[id] === item.value);
    if (note || !shown.length) return host.replaceChildren(el("p", { class: "dim" }, note || text.empty_list));
    const top = Math.max(...shown.map((item) => item.n));
    const body = el("tbody");
    for (const item of shown) {
      const button = el("button", { type: "button", "aria-pressed": String(state[id] === item.value), "data-key": `${id}/${item.value}` }, el("bdi", {}, item.name));
      button.addEventListener("click", () => change({ [id]: state[id] === item.value ? "" : item.value }));
      body.append(el("tr", {}, el("th", { scope: "row" }, button), el("td", { class: "bar" }, bar(top ? item.n / top : 0, item.kind)),
        el("td", { class: "n" }, whole.format(item.n)), el("td", { class: "n" }, share(item.n, of))));
    }
    const heads = [[title, null], [text.bar, "bar"], [text.videos, "n"], [text.share, "n"]];
    const head = el("tr", {}, ...heads.map(([name, kind], i) => el("th", { scope: "col", class: kind }, i === 1 ? el("span", { class: "unseen" }, name) : name)));
    return host.replaceChildren(el("table", { class: "facet" }, el("thead", {}, head), body));
  };
  const stacked = (counts, kind, name) => { // one bar of three shares
    const of = counts[0] + counts[1] + counts[2];
    const width = Math.max(200, $("label-list").clientWidth);
    const told = LABELS.map((label, k) => `${data.labels[label]} ${of ? percent.format(counts[k] / of) : "–"}`).join(", ");
    const svg = draw("svg", { class: `parts ${kind}`, role: "img", "aria-label": fill(text.svg_shares, { what: name, shares: told }), height: 26, viewBox: `0 0 ${width} 26` });
    let x = 0;
    LABELS.forEach((label, k) => {
      const w = of ? (counts[k] / of) * width : 0;
      if (w < 1) return;
      svg.append(draw("rect", { class: label, x: (x + 1).toFixed(1), y: 2, width: Math.max(0.5, w - 2).toFixed(1), height: 22 }));
      if (w > 44) svg.append(draw("text", { x: (x + w / 2).toFixed(1), y: 17, "text-anchor": "middle" }, percent.format(counts[k] / of)));
      x += w;
    });
    return [el("h4", {}, `${name}: ${whole.format(of)}`), svg];
  };
  const drawMoods = (t) => {
    const host = $("label-list");
    if (!host) return;
    const high = [1, 2, 3].map((c) => t.mood[c]), low = [4, 5, 6].map((c) => t.mood[c]);
    const part = (counts, k) => { const of = counts[0] + counts[1] + counts[2]; return of ? percent.format(counts[k] / of) : "–"; };
    const body = el("tbody");
    [...LABELS, NONE].forEach((label, k) => {
      const name = label === NONE ? text.none_label : data.labels[label];
      const button = el("button", { type: "button", "aria-pressed": String(state.label === label), "data-key": `label/${label}` }, name);
      button.addEventListener("click", () => change({ label: state.label === label ? "" : label }));
      const cells = label === NONE ? [whole.format(t.mood[0]), "", "", ""] : [whole.format(high[k]), part(high, k), whole.format(low[k]), part(low, k)];
      body.append(el("tr", {}, el("th", { scope: "row" }, button), ...cells.map((cell) => el("td", { class: "n" }, cell))));
    });
    const heads = [text.label, text.high, text.share, text.low, text.share];
    const head = el("tr", {}, ...heads.map((name, i) => el("th", { scope: "col", class: i ? "n" : null }, name)));
    host.replaceChildren(...stacked(high, "sure", text.high_head), ...stacked(low, "low", text.low_head),
      el("table", { class: "facet" }, el("thead", {}, head), body));
  };
  const drawLists = (t) => {
    drawMoods(t);
    const tags = data.tags.map((tag, i) => ({ name: "#" + tag, value: String(i), n: t.tag[i] }));
    tags.sort((a, b) => b.n - a.n); // stable: equal ones stay in the release's order
    const chosen = tags.findIndex((tag) => tag.value === state.tag);
    const top = tags.slice(0, 12);
    if (chosen >= 12) top.push(tags[chosen]);
    drawList("tag", text.hashtags, top, t.of.tag, !data.exact && state.topic !== "" ? text.tags_off : "");
    drawList("language", text.language, [...data.languages.map((name, i) => ({ name, value: String(i), n: t.language[i] })),
      { name: text.no_transcript, value: NONE, n: t.language[data.languages.length] }], t.of.language);
    drawList("topic", text.topic, data.topics.map((name, i) => ({ name, value: String(i), n: t.topic[i] })),
      t.of.topic, !data.exact && state.tag !== "" ? text.topics_off : "");
    drawList("source", text.source, [...data.sources.map((name, i) => ({ name: text[name], value: String(i), n: t.source[i] })),
      { name: text.no_source, value: NONE, n: t.source[data.sources.length] }], t.of.source);
  };

  // ---- sample rows ----
  const PAGE = innerWidth < 640 ? 5 : 10;
  const drawSamples = () => {
    if (!$("samples")) return;
    const found = passing();
    page = Math.min(page, Math.max(0, Math.ceil(found.length / PAGE) - 1));
    const shown = found.slice(page * PAGE, (page + 1) * PAGE);
    $("showing").textContent = found.length
      ? fill(text.showing, { from: whole.format(page * PAGE + 1), to: whole.format(page * PAGE + shown.length), n: whole.format(found.length) })
      : text.showing_none;
    $("previous").disabled = page === 0;
    $("next").disabled = (page + 1) * PAGE >= found.length;
    const head = el("tr", { role: "row" }, ...[text.date, text.transcript, text.sentiment, text.hashtags, text.language, text.views]
      .map((name) => el("th", { scope: "col", role: "columnheader" }, name)));
    const body = el("tbody", { role: "rowgroup" });
    for (const row of shown) {
      const mood = el("td", { role: "cell" });
      if (row.class) {
        const label = LABELS[(row.class - 1) % 3], low = row.class > 3;
        const sure = row.confidence === null ? "" : ` ${score.format(row.confidence)}`;
        mood.append(el("span", { class: `pill ${label}${low ? " low" : ""}` }, data.labels[label] + sure));
        if (low) mood.append(" ", el("span", { class: "dim" }, text.low_flag));
      } else mood.append(text.none_label);
      const tags = el("td", { role: "cell", class: "tags" });
      for (const tag of row.hashtags || []) tags.append(el("bdi", {}, "#" + tag), " ");
      const code = row.language === null ? null : data.codes[row.language];
      body.append(el("tr", { role: "row" },
        el("td", { role: "cell" }, row.day === null ? text.unknown : said(data.dates[row.day])),
        el("td", { role: "cell", class: "text", lang: code, dir: "auto" }, el("bdi", {}, row.transcript)),
        mood, tags,
        el("td", { role: "cell" }, row.language === null ? "–" : data.languages[row.language]),
        el("td", { role: "cell", "data-of": text.views }, row.view_count === null ? "–" : whole.format(row.view_count))));
    }
    $("samples").replaceChildren(...(found.length
      ? [el("table", { class: "rows", role: "table", "aria-labelledby": "samples-title" }, el("thead", { role: "rowgroup" }, head), body)]
      : []));
  };

  // ---- events, controls, and the loop ----
  const phase = (i) => {
    if (data.resolution !== "day") { // a week holds several events: theirs is the week
      const here = data.events[i].place, next = data.events.find((event) => event.place > here);
      return { from: data.dates[here], to: next ? lastDay(next.place - 1) : data.last };
    }
    const later = data.events.find((event) => event.date > data.events[i].date);
    const before = later && new Date(Date.parse(later.date) - 864e5).toISOString().slice(0, 10);
    return { from: data.events[i].date, to: later ? before : data.last };
  };
  const drawEvents = () => $("events").replaceChildren(...data.events.map((event, i) => {
    const days = phase(i);
    const on = state.from === days.from && state.to === days.to;
    const button = el("button", { type: "button", "aria-pressed": String(on), "data-key": `event/${i}` },
      el("b", {}, plain(event.key)), `${said(event.date, shortDay)}: `, el("bdi", {}, event.title));
    button.addEventListener("click", () => change(on ? { from: "", to: "" } : days));
    return el("li", {}, button);
  }));
  const options = (id, list) => {
    const select = $(id);
    if (!select) return;
    select.replaceChildren(...list.map(([value, name]) => el("option", { value }, plain(name))));
    select.disabled = false;
  };
  const show = () => {
    const key = document.activeElement && document.activeElement.dataset.key;
    const t = tally();
    const all = whole.format(data.videos);
    $("status").textContent = t.n ? fill(text.selected, { n: whole.format(t.n), all }) : `${text.selected_none} (${fill(text.selected, { n: 0, all })})`;
    for (const name of Object.keys(empty)) if ($(name) && $(name).value !== state[name]) $(name).value = state[name];
    $("clear").disabled = Object.values(state).every((value) => value === "");
    drawEvents();
    drawTime(t);
    dailyNumbers(t);
    drawLists(t);
    drawSamples();
    if (key) { // the lists were made anew; whoever was on a button stays there
      const again = [...document.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key);
      if (again) again.focus();
    }
  };
  const change = (values) => {
    if (!data.exact && values.tag) values = { ...values, topic: "" };
    if (!data.exact && values.topic) values = { ...values, tag: "" };
    Object.assign(state, values);
    page = 0;
    show();
  };
  const numbered = (names) => names.map((name, i) => [String(i), name]);
  const any = [["", text.all]];
  options("tag", [...any, ...numbered(data.tags.map((tag, i) => `#${tag} (${whole.format(data.uses[i])})`))]);
  options("label", [...any, ...LABELS.map((label) => [label, data.labels[label]]), [NONE, text.none_label]]);
  options("confidence", [...any, ["high", text.high], ["low", text.low]]);
  options("language", [...any, ...numbered(data.languages), [NONE, text.no_transcript]]);
  options("source", [...any, ...numbered(data.sources.map((name) => text[name])), [NONE, text.no_source]]);
  options("topic", [...any, ...numbered(data.topics)]);
  options("measure", data.metrics.map((metric) => [metric.column, metric.name]));
  for (const name of Object.keys(empty)) if ($(name)) $(name).addEventListener("change", () => change({ [name]: $(name).value }));
  for (const name of ["from", "to"]) {
    $(name).min = data.dates[0];
    $(name).max = data.last;
    $(name).disabled = false;
  }
  if ($("measure")) $("measure").addEventListener("change", () => { measure = $("measure").value; show(); });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("clear").addEventListener("click", () => { change(empty); $("from").focus(); });
  $("look").addEventListener("change", () => {
    if ($("look").value) document.documentElement.dataset.theme = $("look").value;
    else delete document.documentElement.dataset.theme;
  });
  $("numbers").addEventListener("toggle", () => dailyNumbers(tally()));
  if ($("samples")) {
    const turn = (by) => { page += by; drawSamples(); };
    $("previous").addEventListener("click", () => turn(-1));
    $("next").addEventListener("click", () => turn(1));
  }
  show();
  let drawn = $("results").clientWidth;
  new ResizeObserver(() => {
    if ($("results").clientWidth === drawn) return;
    drawn = $("results").clientWidth;
    show();
  }).observe($("results"));
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
