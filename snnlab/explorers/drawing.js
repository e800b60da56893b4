// What all explorers share: numbers and axes, the look, and the loop of reading controls, drawing and telling the kernel.

const MARGIN = { left: 46, right: 14 };
const STEP = 1 / 64; // sliders move, and everything is computed, on dyadic numbers: no tie depends on rounding

const rounded = (x) => String(Math.round(x * 10000) / 10000);
const show = (x) => rounded(x).replace("-", "−");
const plural = (n, one, many) => (n === 1 ? one : many).replace("{n}", n);
const spikesSaid = (n) => plural(n, say("{n} spike"), say("{n} spikes"));
const stepsSaid = (n) => plural(n, say("{n} step"), say("{n} steps"));

// What is computed with: each number that has a slider, on the nearest of its steps. 0.2 stays 0.2 for the reader.
function onSteps(p, controls) {
  const near = (value, { min, step }) => Number((min + Math.round((value - min) / step) * step).toPrecision(15));
  const sliding = Object.entries(controls).filter(([key, { options, exact }]) => !options && !exact && Number.isFinite(p[key]));
  return { ...p, ...Object.fromEntries(sliding.map(([key, how]) => [key, near(p[key], how)])) };
}

// The sentence, and behind it where the two differ.
function withRounded(sentence, p, q, controls, seen) {
  const apart = Object.keys(controls).filter((key) => seen(key) && rounded(p[key]) !== rounded(q[key]));
  const each = apart.map((key) => say("{used} for {given} ({label})", { used: show(q[key]), given: show(p[key]), label: controls[key].label }));
  return each.length ? say("{sentence} Computed with {list}: the nearest step of the slider.", { sentence, list: each.join(say(", ")) }) : sentence;
}

function scale(low, high, from, to) {
  return (x) => from + ((x - low) / (high - low)) * (to - from);
}

// Whole or half numbers that enclose the values and 0, so that the axis stands still for most moves of a slider.
function range(values) {
  const low = Math.min(0, ...values);
  const high = Math.max(...values);
  return [Math.floor(low * 2) / 2, Math.ceil(high * 2) / 2 + 0.125];
}

function ticks([low, high], most = 6) {
  const step = [0.25, 0.5, 1, 2, 5, 10, 20, 50, 100].find((s) => (high - low) / s < most) ?? 200;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

// Horizontal lines with their numbers.
function axis(y, span, width, most) {
  return ticks(span, most)
    .map((tick) => {
      const at = y(tick).toFixed(1);
      return `<line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${at}" y2="${at}"/>
        <text class="tick" x="${MARGIN.left - 6}" y="${at}" dy="0.32em" text-anchor="end">${show(tick)}</text>`;
    })
    .join("");
}

// The numbers 0 to T under a picture whose steps stand at x(t).
function stepAxis(x, T, width, y) {
  const every = [1, 2, 4, 8, 16, 32].find((s) => T / s <= width / 60) ?? 32;
  let text = "";
  for (let t = 0; t <= T; t += every)
    text += `<text class="tick" x="${x(t).toFixed(1)}" y="${y}" text-anchor="middle">${t}</text>`;
  return text;
}

// A horizontal line with a name; the class `css` gives its colour.
function level(y, value, width, css, name) {
  const at = y(value).toFixed(1);
  return `<line class="${css}" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${at}" y2="${at}"/>
    <text class="name ${css}-name" x="${width - MARGIN.right}" y="${at}" dy="-4" text-anchor="end">${name}</text>`;
}

const DOTS = 48; // steps up to which each potential after a step has its dot, as in the package plots/

// The potential from step to step, drawn alike everywhere: up or down to what met the threshold, a triangle where that
// fires (or takes a spike back), dashed the reset, a dot for what is left.
function potentialTrace(v0, run, x, y) {
  const at = (t, v) => `${x(t).toFixed(1)},${y(v).toFixed(1)}`;
  const dot = (t, v) => (run.v.length <= DOTS ? `<circle class="dot" cx="${x(t).toFixed(1)}" cy="${y(v).toFixed(1)}" r="3"/>` : "");
  let [trace, resets, fires, dots] = [`M${at(0, v0)}`, "", "", dot(0, v0)];
  run.v.forEach((after, k) => {
    const [t, peak, spike] = [k + 1, run.peak[k], run.spike[k]];
    trace += `L${at(t, peak)}`;
    if (spike) {
      resets += `M${at(t, peak)}L${at(t, after)}`;
      trace += `M${at(t, after)}`;
      fires += spike > 0 ? `M${at(t, peak)}m-4.5,4h9l-4.5,-8.5z` : `M${at(t, peak)}m-4.5,-4h9l-4.5,8.5z`;
    }
    dots += dot(t, after);
  });
  return `<path class="trace" d="${trace}"/><path class="reset" d="${resets}"/>${dots}<path class="fires" d="${fires}"/>`;
}

const NARROW = 480; // a telephone's picture: its texts are too long for it

// Titles begin at the edge of a narrow picture, no text leaves it, and one that is longer than it is pressed together. In
// a wide one only an axis's numbers can be too long: asking for the size of a text costs a layout.
function fitted(svg, width) {
  const long = (text) => width < NARROW || (text.textContent.length > 5 && text.classList.contains("tick"));
  for (const text of [...svg.querySelectorAll("text")].filter(long)) {
    const box = text.getBBox();
    const heads = width < NARROW && text.classList.contains("title") && box.x <= MARGIN.left && !text.hasAttribute("text-anchor");
    const at = heads ? 0 : Math.max(0, Math.min(box.x, width - box.width));
    if (at !== box.x) text.setAttribute("dx", at - box.x);
    if (box.width > width) text.setAttribute("textLength", width);
    if (box.width > width) text.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }
}

const LOOK = `
.snnlab-explorer { --v: #0072b2; --theta: #c44e00; --rate: #007a5a; --back: #b03a7d; --paper: var(--jp-layout-color0, #fff);
  --ink: var(--jp-content-font-color1, #222); --soft: var(--jp-content-font-color2, #666);
  --line: var(--jp-border-color2, #ddd); container-type: inline-size; color: var(--ink); max-width: 1100px; padding: 4px;
  font: 14px/1.4 var(--jp-content-font-family, system-ui, sans-serif); }
[data-jp-theme-light="false"] .snnlab-explorer { --v: #56b4e9; --theta: #ff9a52; --rate: #2fd0a0; --back: #f08cc4;
  color-scheme: dark; }
.snnlab-explorer .panes { display: grid; grid-template-columns: minmax(0, 1fr); gap: 12px; }
@container (min-width: 720px) { .snnlab-explorer .panes { grid-template-columns: 270px minmax(0, 1fr); gap: 24px; } }
.snnlab-explorer .controls { display: grid; grid-template-columns: 1fr 1fr; gap: 6px 16px; align-content: start; }
@container (min-width: 720px) { .snnlab-explorer .controls { grid-template-columns: 1fr; gap: 10px; } }
.snnlab-explorer .control { min-width: 0; }
.snnlab-explorer .control[hidden] { display: none; }
.snnlab-explorer .row { display: flex; justify-content: space-between; align-items: baseline; gap: 8px; }
.snnlab-explorer input[type=number] { width: 5.2em; flex: none; padding: 0 2px; text-align: right; font: inherit;
  font-weight: 600; font-variant-numeric: tabular-nums; color: inherit; background: transparent;
  border: 1px solid transparent; border-radius: 4px; appearance: textfield; }
.snnlab-explorer input[type=number]::-webkit-inner-spin-button { appearance: none; margin: 0; }
@container (max-width: 420px) { .snnlab-explorer input[type=number] { width: 3.9em; } }
.snnlab-explorer input[type=number]:hover { border-color: var(--line); }
.snnlab-explorer input[type=range] { width: 100%; margin: 2px 0 0; accent-color: var(--v); }
.snnlab-explorer select { width: 100%; font: inherit; color: inherit; padding: 3px;
  background: var(--jp-layout-color1, #fff); border: 1px solid var(--soft); border-radius: 4px; }
.snnlab-explorer :is(input, select, button, [tabindex]):focus-visible { outline: 2px solid var(--v); outline-offset: 2px; }
.snnlab-explorer svg { display: block; contain: strict; width: 100%; }
.snnlab-explorer .says { margin: 8px 0 0; min-height: 7em; }
@container (min-width: 720px) { .snnlab-explorer .says { min-height: 4.2em; } }
.snnlab-explorer.wrong .says { color: var(--theta); font-weight: 600; }
.snnlab-explorer.wrong svg { opacity: 0.25; }
.snnlab-explorer text { font: 12px var(--jp-content-font-family, system-ui, sans-serif); fill: var(--ink); }
.snnlab-explorer .name { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
.snnlab-explorer .title { font-weight: 600; }
.snnlab-explorer .tick { fill: var(--soft); font-variant-numeric: tabular-nums; }
.snnlab-explorer .grid { stroke: var(--line); }
.snnlab-explorer path { fill: none; }
.snnlab-explorer .trace { stroke: var(--v); stroke-width: 2; }
.snnlab-explorer .reset { stroke: var(--v); stroke-dasharray: 3 3; }
.snnlab-explorer .dot { fill: var(--v); }
.snnlab-explorer .fires { fill: var(--ink); }
.snnlab-explorer .threshold { stroke: var(--theta); stroke-width: 1.5; stroke-dasharray: 7 4; }
.snnlab-explorer .threshold-name { fill: var(--theta); }
.snnlab-explorer .spike { stroke: var(--ink); stroke-width: 3; }
.snnlab-explorer .back { stroke: var(--back); stroke-width: 3; }
.snnlab-explorer .rate { stroke: var(--rate); stroke-width: 2; }
.snnlab-explorer .rate-dot { fill: var(--rate); }
.snnlab-explorer .relu { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 2 3; }
.snnlab-explorer .relu-name { fill: var(--soft); }
`;

// What is wrong with numbers, in words.
const outOfRange = (name, value, min, max) => say("{name} = {value}, but here it goes from {min} to {max}.", { name, value, min: show(min), max: show(max) });
const mustBe = (name, value, rule) => say("{name} = {value}, but it must be {rule}.", { name, value, rule });

// A control is a slider { label, min, max, step } or a choice { label, options: { value: text } }. A slider that is
// `exact` is computed with as it is set, off its steps too: where nothing is counted, rounding moves nothing.
function control(name, { label, min, max, step, options }) {
  const limits = `min="${min}" max="${max}" step="${step}" aria-label="${label}"`;
  if (!options)
    return `<div class="control" data-control="${name}"><span class="row"><span>${label}</span>
      <input type="number" data-number="${name}" min="${min}" max="${max}" step="${step}" aria-label="${say("{label}, as a number", { label })}">
      </span><input type="range" name="${name}" ${limits}></div>`;
  const choices = Object.entries(options).map(([value, text]) => `<option value="${value}">${text}</option>`);
  return `<div class="control" data-control="${name}"><span class="row">${label}</span>
    <select name="${name}" aria-label="${label}">${choices.join("")}</select></div>`;
}

// Build an explorer in el and keep it going; returns the function that takes it down.
//   name, aria      class of the root (snnlab-NAME) and what the picture is called
//   controls        name -> control, in order; the model has a trait of each name
//   more            names of traits that have no control, optional; `set` changes them too
//   style           CSS of its own
//   height(p, width)  of the picture in pixels
//   shown(name, p)  whether a control is there, optional
//   changed(name, p)  the numbers that a new value of a control brings with it, optional
//   wrong(p)        what is wrong with the numbers, in words; "" if nothing
//   draw(p, width)  [inner SVG, sentence], for numbers on the sliders' steps
//   ready(root, { p, set, draw })  to listen to more than controls, optional; set(name, value) changes p and the kernel's
function mountExplorer({ model, el }, { name, aria, controls, more = [], style = "", height, shown, changed, wrong, draw, ready }) {
  el.innerHTML = `<style>${LOOK}${style}</style><div class="snnlab-explorer snnlab-${name}" lang="${say("en")}"><div class="panes">
    <div class="controls">${Object.entries(controls).map(([key, how]) => control(key, how)).join("")}</div>
    <div><svg role="img" aria-label="${aria}"></svg><p class="says" aria-live="polite"></p></div></div></div>`;
  const root = el.querySelector(`.snnlab-${name}`);
  root.addEventListener("keydown", (event) => event.stopPropagation()); // JupyterLab would take the arrow keys
  const svg = root.querySelector("svg");
  const says = root.querySelector(".says");
  const inputs = [...root.querySelectorAll("[name]")];
  const numbers = new Map([...root.querySelectorAll("[data-number]")].map((input) => [input.dataset.number, input]));
  const traits = [...Object.keys(controls), ...more];
  const p = {};
  let width = 700; // kept, because asking the page for it in each draw would cost a layout

  function redraw() {
    for (const input of inputs) {
      if (input.value !== String(p[input.name])) input.value = p[input.name];
      const number = numbers.get(input.name);
      if (number && number !== document.activeElement) number.value = rounded(p[input.name]);
      if (shown) input.parentElement.hidden = !shown(input.name, p);
    }
    const problem = wrong(p);
    root.classList.toggle("wrong", problem !== "");
    if (problem) {
      says.textContent = problem;
      return;
    }
    svg.style.height = `${height(p, width)}px`;
    try {
      const q = onSteps(p, controls);
      const [drawn, sentence] = draw(q, width);
      svg.innerHTML = drawn;
      fitted(svg, width);
      says.textContent = withRounded(sentence, p, q, controls, (key) => !shown || shown(key, p));
    } catch (error) {
      root.classList.add("wrong");
      says.textContent = say("This setting cannot be shown ({error}). That is a mistake of this page, not yours: please report it.", { error: error.message });
      throw error; // the page's console has where
    }
  }

  function read() {
    for (const key of traits) p[key] = model.get(key);
    redraw();
  }

  function set(key, value) {
    const news = { [key]: value, ...(changed ? changed(key, { ...p, [key]: value }) : {}) };
    Object.assign(p, news);
    redraw(); // first the picture, then the kernel, which nobody waits for
    if (wrong(p)) return;
    for (const [other, now] of Object.entries(news)) model.set(other, now);
    model.save_changes();
  }

  for (const input of inputs) {
    const numeric = input.type === "range";
    input.addEventListener("input", () => set(input.name, numeric ? Number(input.value) : input.value));
  }
  for (const key of traits) model.on(`change:${key}`, read);
  for (const [key, number] of numbers) {
    const { min, max, step } = controls[key];
    number.addEventListener("change", () => {
      const given = number.value === "" ? NaN : Number(number.value);
      const typed = step === 1 ? Math.round(given) : given;
      if (typed >= min && typed <= max) return set(key, typed);
      root.classList.add("wrong");
      says.textContent = outOfRange(key, number.value || say("nothing"), min, max);
    });
    number.addEventListener("blur", redraw);
  }
  const watch = new ResizeObserver(([entry]) => {
    width = entry.contentRect.width || width;
    redraw();
  });
  watch.observe(svg);
  read();
  if (ready) ready(root, { p, set, draw: redraw });
  return () => {
    watch.disconnect();
    for (const key of traits) model.off(`change:${key}`, read);
  };
}
