// Two rows of steps whose spikes can be dragged, clicked and moved with the keys, above the picture.

const TRAINS = { plus: say("the first input"), minus: say("the second input") };
const stepScale = (p, width) => scale(0, p.T + 0.45, MARGIN.left, width - MARGIN.right);

const TRAINS_LOOK = `
.snnlab-unevenness .train { position: relative; height: 40px; }
.snnlab-unevenness .train > span { position: absolute; left: 0; top: 10px; font-weight: 600; font-size: 12px; font-variant-numeric: tabular-nums; }
.snnlab-unevenness .train button { position: absolute; top: 2px; height: 36px; padding: 0; background: transparent; cursor: pointer;
  border: 1px dashed var(--line); border-radius: 6px; color: inherit; font: inherit; }
.snnlab-unevenness .train button::after { content: ""; position: absolute; left: 50%; top: 22%; width: 4px; height: 56%; margin-left: -2px;
  border-radius: 2px; background: transparent; }
.snnlab-unevenness .train button[aria-pressed=true] { border: 1px solid var(--ink); cursor: grab; touch-action: none; }
.snnlab-unevenness .plus button[aria-pressed=true]::after { background: var(--rate); }
.snnlab-unevenness .minus button[aria-pressed=true]::after { background: var(--back); }
.snnlab-unevenness.moving .train button { cursor: grabbing; }
.snnlab-unevenness .train button:focus-visible { z-index: 1; outline-width: 3px; }
.snnlab-unevenness .hint { margin: 0 0 6px; color: var(--soft); font-size: 12px; }
`;

// The two rows of steps above the picture: buttons that stay while the picture is drawn anew, so the focus stays too.
function mountTrains(root, { p, set }) {
  const box = document.createElement("div");
  box.innerHTML = `<p class="hint">${say("Drag a spike, or click a step to add or remove one. Keyboard: arrow keys move a spike, Enter toggles it.")}</p>
    ${Object.entries(TRAINS).map(([name, input]) => `<div class="train ${name}" role="group" aria-label="${say("spikes of {input}", { input })}"></div>`).join("")}`;
  root.querySelector("svg").before(box);
  const rows = Object.fromEntries(Object.keys(TRAINS).map((name) => [name, box.querySelector(`.${name}`)]));
  const button = (name, t) => rows[name].querySelectorAll("button")[t];
  let place = () => 0; // where a step stands, in pixels
  let dragging = null;
  let dragged = false;

  function put(name, from, to) {
    const train = [...p[name]];
    [train[from], train[to]] = [train[to], train[from]];
    set(name, train.join(""));
  }

  function press(name, t) {
    const train = [...p[name]];
    train[t] = train[t] === "1" ? "0" : "1";
    set(name, train.join(""));
  }

  function key(event, name, t) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    let to = t + step;
    if (p[name][t] === "1") while (to >= 0 && to < p.T && p[name][to] === "1") to += step; // over the others
    if (to < 0 || to >= p.T) return;
    if (p[name][t] === "1") put(name, t, to);
    button(name, to).focus();
  }

  function drag(event) {
    if (!dragging) return;
    const { name, from } = dragging;
    const at = event.clientX - rows[name].getBoundingClientRect().left;
    const to = p[name].split("").reduce((best, _, t) => (Math.abs(place(t) - at) < Math.abs(place(best) - at) ? t : best), 0);
    if (to === from) return;
    dragged = true;
    root.classList.add("moving");
    if (p[name][to] === "1") return; // occupied: stay before it
    put(name, from, to);
    dragging.from = to;
    button(name, to).focus({ focusVisible: false });
  }

  function drop() {
    dragging = null;
    root.classList.remove("moving");
  }

  function build() {
    for (const [name, row] of Object.entries(rows)) {
      row.innerHTML = `<span></span>${'<button type="button"></button>'.repeat(p.T)}`;
      row.querySelectorAll("button").forEach((step, t) => {
        step.addEventListener("pointerdown", (event) => {
          dragged = false;
          if (event.button === 0 && p[name][t] === "1") dragging = { name, from: t };
          if (step.hasPointerCapture?.(event.pointerId)) step.releasePointerCapture(event.pointerId);
        });
        step.addEventListener("click", () => {
          if (!dragged) press(name, t);
          dragged = false;
        });
        step.addEventListener("keydown", (event) => key(event, name, t));
      });
    }
  }

  function show_(width) {
    const x = stepScale(p, width);
    const wide = Math.min(44, x(1) - x(0) - 4);
    place = (t) => x(t + 1);
    if (rows.plus.children.length !== p.T + 1) build();
    for (const [name, row] of Object.entries(rows)) {
      const weight = show(p[`weight_${name}`]);
      row.querySelector("span").textContent = weight.startsWith("−") || weight === "0" ? weight : `+${weight}`;
      row.querySelectorAll("button").forEach((step, t) => {
        const on = p[name][t] === "1";
        step.setAttribute("aria-pressed", String(on));
        const here = { weight, t: t + 1 };
        step.setAttribute("aria-label", on ? say("input of weight {weight}, step {t}: a spike", here) : say("input of weight {weight}, step {t}: none", here));
        step.style.left = `${(place(t) - wide / 2).toFixed(1)}px`;
        step.style.width = `${wide.toFixed(1)}px`;
      });
    }
  }

  const view = root.ownerDocument.defaultView;
  view.addEventListener("pointermove", drag);
  for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, drop);
  const leave = () => {
    view.removeEventListener("pointermove", drag);
    for (const end of ["pointerup", "pointercancel"]) view.removeEventListener(end, drop);
  };
  return { show: show_, leave };
}
