// Turns every knob of an explorer's page: all states of its menus, each slider's ends, 50 random values of each, what is
// typed wrong, every button. Gives what was shown in each state, and every exception of the page.

window.walk = (seed, stride) => {
  const root = document.querySelector(".snnlab-explorer");
  const [states, errors] = [[], []];
  const failed = (event) => errors.push(event.message);
  window.addEventListener("error", failed);
  const seen = (input) => input.offsetParent !== null;
  const menus = () => [...root.querySelectorAll("select")].filter(seen);
  const sliders = () => [...root.querySelectorAll("input[type=range]")].filter(seen);
  let state = seed;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;

  function put(input, value) {
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function look() {
    const p = {};
    for (const input of root.querySelectorAll("[name]")) p[input.name] = input.type === "range" ? Number(input.value) : input.value;
    for (const row of root.querySelectorAll(".train"))
      p[row.classList[1]] = [...row.querySelectorAll("button")].map((b) => Number(b.ariaPressed === "true")).join("");
    for (const pad of root.querySelectorAll("[data-pixels]")) p.pixels = JSON.parse(pad.dataset.pixels);
    const svg = root.querySelector("svg").innerHTML;
    const broken = /NaN|undefined|Infinity|null/.test(svg + root.querySelector(".says").textContent);
    states.push({ p, says: root.querySelector(".says").textContent, wrong: root.classList.contains("wrong"), broken, drawn: svg.length });
    return errors.length === 0;
  }

  function ends() {
    for (const slider of sliders()) {
      const before = slider.value;
      for (const end of [slider.min, slider.max, before]) {
        put(slider, end);
        look();
      }
    }
  }

  // Every combination of the menus that are there, one inside the other: one menu may bring another.
  let leaves = 0;
  function combine(depth) {
    const menu = menus()[depth];
    if (!menu) {
      look();
      if (leaves++ % stride === 0) ends();
      return;
    }
    for (const { value } of [...menu.options]) {
      if (errors.length) return;
      put(menus()[depth], value);
      combine(depth + 1);
    }
  }

  function randomly() {
    const drawn = Object.fromEntries([...root.querySelectorAll("input[type=range]")].map(({ name }) => [name, 0]));
    for (let round = 0; round < 3000 && !errors.length && Object.values(drawn).some((n) => n < 50); round++) {
      for (const menu of menus()) put(menu, menu.options[Math.floor(random() * menu.options.length)].value);
      for (const slider of sliders().filter(({ name }) => drawn[name] < 50)) {
        const steps = Math.round((slider.max - slider.min) / slider.step);
        put(slider, Number(slider.min) + Math.round(random() * steps) * slider.step);
        drawn[slider.name]++;
        look();
      }
    }
    return drawn;
  }

  const refused = [];
  function type() {
    for (const number of [...root.querySelectorAll("input[type=number]")].filter(seen))
      for (const typed of ["", "1e9", "-1e9"]) {
        number.value = typed;
        number.dispatchEvent(new Event("change", { bubbles: true }));
        refused.push(root.querySelector(".says").textContent);
        number.dispatchEvent(new Event("blur"));
      }
  }

  function press() {
    const count = root.querySelectorAll("button").length;
    for (let k = 0; k < 2 * count && !errors.length; k++) {
      const button = root.querySelectorAll("button")[k % count];
      for (const name of ["pointerdown", "pointermove", "pointerup"])
        button.dispatchEvent(new PointerEvent(name, { bubbles: true, clientX: 40 * k, button: 0 }));
      button.click();
      for (const key of ["ArrowRight", "ArrowLeft"]) button.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      look();
    }
  }

  // A stroke over each pad, a pixel more and less by keys, and out of it again.
  function draw() {
    for (const pad of root.querySelectorAll(".pad.drawn")) {
      const box = pad.getBoundingClientRect();
      const at = (x, y) => ({ bubbles: true, clientX: box.left + x * box.width, clientY: box.top + y * box.height });
      for (const [name, x, y] of [["pointermove", 0, 0], ["pointerdown", 0.2, 0.1], ["pointermove", 0.8, 0.9], ["pointermove", 0.1, 0.9], ["pointerup", 0, 0], ["pointermove", 0.9, 0]]) {
        pad.dispatchEvent(new PointerEvent(name, at(x, y)));
        look();
      }
      for (const key of ["ArrowUp", " ", "ArrowLeft", "Enter", "Enter", "Escape", "ArrowRight", "ArrowDown"]) {
        pad.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        look();
      }
    }
  }

  combine(0);
  const drawn = randomly();
  draw();
  press();
  draw();
  type();
  window.removeEventListener("error", failed);
  return JSON.stringify({ states, errors, drawn, refused, leaves });
};
