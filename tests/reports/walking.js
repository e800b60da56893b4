// Turns every knob of an explorer within a page: each entry of each menu, and there both ends of each slider that is to be
// seen; every button twice. Gives what is wrong, in words, how many sliders were moved, and every text that was shown.
// A slider that moves nothing where the others stand, as that of a memory where there is nothing to remember, must do so
// in one of forty other settings, drawn at random but always the same.

async () => {
  const root = document.querySelector(".snnlab-explorer");
  const [wrong, texts, dead] = [new Set(), new Set(), new Set()];
  let moved = 0;
  const usable = (input) => input.offsetParent !== null && !input.disabled;
  const all = (selector) => [...root.querySelectorAll(selector)].filter(usable);
  const drawn = () => [...root.querySelectorAll("svg")].map((svg) => svg.innerHTML).join();
  const picture = () => drawn() + [...root.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL()).join();
  const says = () => root.querySelector(".says").textContent;
  const turn = () => new Promise((after) => setTimeout(after));

  function look() {
    const nodes = document.createTreeWalker(root, NodeFilter.SHOW_TEXT, (node) => (node.parentElement.closest("style") ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
    while (nodes.nextNode()) texts.add(nodes.currentNode.data.trim());
    for (const part of root.querySelectorAll("[aria-label]")) texts.add(part.getAttribute("aria-label"));
    for (const svg of root.querySelectorAll("svg")) {
      const room = svg.getBoundingClientRect();
      for (const text of svg.querySelectorAll("text")) {
        const { left, right, width } = text.getBoundingClientRect();
        if (width && (left < room.left - 1 || right > room.right + 1)) wrong.add(`a text is cut off: ${text.textContent}`);
      }
    }
    if (root.classList.contains("wrong") || /NaN|undefined|Infinity/.test(drawn() + says())) wrong.add(`a setting shows nothing: ${says()}`);
  }

  // What is shown once nothing moves by itself any more: some explorers compute a little at a time.
  async function settled() {
    const end = performance.now() + 20_000;
    for (let before = ""; performance.now() < end; ) {
      await turn();
      const now = picture() + says();
      if (now === before) break;
      before = now;
    }
    look();
    return picture();
  }

  async function put(input, value) {
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    return settled();
  }

  const named = (name) => root.querySelector(`[name="${name}"]`);
  const values = (input) => (input.options ? [...input.options].map(({ value }) => value) : [input.min, input.max]);
  const isMenu = (input) => input.options !== undefined;

  // Whether a slider's two ends, or a menu's entries, show more than one picture.
  async function moves(name) {
    const input = named(name);
    if (!usable(input)) return false;
    const [before, pictures] = [input.value, new Set()];
    for (const value of values(input)) pictures.add(await put(input, value));
    await put(input, before);
    return pictures.size > 1;
  }

  let state = 1;
  const random = (n) => Math.floor((n * (state = (state * 48271) % 2147483647)) / 2147483647);

  async function movesSomewhere(name, kept) {
    const before = all("[name]").map((input) => [input, input.value]);
    let found = false;
    for (let round = 0; round < 40 && !found; round++) {
      for (const input of all("[name]").filter((other) => ![name, kept].includes(other.name))) {
        const anywhere = () => Number(input.min) + random((input.max - input.min) / input.step + 1) * input.step;
        await put(input, isMenu(input) ? values(input)[random(input.options.length)] : anywhere());
      }
      found = await moves(name);
    }
    for (const [input, value] of before) await put(input, value);
    return found;
  }

  // Every slider that is to be seen, moved; `kept` is the menu whose entry brought it.
  async function ends(where, kept) {
    for (const { name } of all("input[type=range]").filter((slider) => !dead.has(slider.name))) {
      moved++;
      if ((await moves(name)) || (kept !== null && (await movesSomewhere(name, kept)))) continue;
      dead.add(name);
      wrong.add(`the slider ${name} moves nothing${where}`);
    }
  }

  await settled();
  await ends(" as the page is opened", null);
  for (const { name } of all("select")) {
    const before = named(name).value;
    for (const value of values(named(name))) {
      await put(named(name), value);
      await ends(` where ${name} is ${value}`, name);
    }
    await put(named(name), before);
    if (values(named(name)).length > 1 && !(await moves(name)) && !(await movesSomewhere(name, null))) wrong.add(`the menu ${name} changes nothing`);
  }
  for (const button of all("button"))
    for (let k = 0; k < 2; k++) {
      button.click();
      look();
    }
  return { wrong: [...wrong], moved, texts: [...texts] };
};
