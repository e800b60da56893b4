// Questions are asked and answered in the page. The first answer stays, with its time; a second stands beside it.
const STORE = "snnlab-predictions";
let unsaved = {};  // where the browser keeps nothing for a page
function recorded() {
  try { return JSON.parse(localStorage.getItem(STORE)) ?? unsaved; } catch { return unsaved; }
}
function record(number, answer) {
  const all = recorded(), earlier = all[number] ?? [];
  if (earlier.at(-1)?.answer !== answer) all[number] = [...earlier.slice(0, 1), { answer, at: new Date().toISOString() }];
  unsaved = all;
  try { localStorage.setItem(STORE, JSON.stringify(all)); } catch { /* kept as long as the page is open */ }
}
function element(name, text, attributes = {}) {
  const made = Object.assign(document.createElement(name), attributes);
  made.textContent = text;
  return made;
}
// The page's words, and the answers of its questions, in the reader's language.
const SHOWN = {};
const shown = (answer) => SHOWN[answer] ?? answer;
const say = (english, number) => (WORDS[english] ?? english).replace("{number}", number);
const NAMES = [say("On record: first answer"), say("second answer")];
const tongue = document.documentElement.lang;
const when = (at) => new Date(at).toLocaleString(navigator.languages.find((other) => other.startsWith(tongue.slice(0, 2))) ?? tongue);
const told = (given) => given.map(({ answer, at }, k) => `${NAMES[k]} ${shown(answer)} (${when(at)})`).join(say("; "));

function ask(place) {
  const { number, question, options, shown: labels } = JSON.parse(place.dataset.asked);
  options.forEach((option, k) => { SHOWN[option] = labels[k]; });
  const many = options.length > 6, given = recorded()[number] ?? [], last = String(given.at(-1)?.answer ?? "");
  const choices = document.createElement("fieldset");
  const legend = document.createElement("legend");
  legend.append(element("b", `${say("Prediction {number}.", number)} `), question);
  choices.append(legend);
  let answer = () => choices.querySelector("input:checked")?.value;
  if (many) {
    const list = element("select", "", { ariaLabel: question });
    list.append(element("option", say("choose a number"), { value: "" }), ...options.map((option) => element("option", shown(option), { value: option })));
    list.value = last;
    answer = () => list.value;
    choices.append(list);
  } else for (const option of options) {
    const label = document.createElement("label");
    label.append(element("input", "", { type: "radio", name: `asked-${number}`, value: option, checked: last === String(option) }), ` ${shown(option)}`);
    choices.append(label);
  }
  const said = element("span", told(given), { role: "status" });
  const button = element("button", say("Record"), { type: "button" });
  button.onclick = () => {
    const chosen = answer();
    if (!chosen) return void (said.textContent = say("Choose an answer first."));
    record(number, chosen);
    said.textContent = `${told(recorded()[number])}. ${say("Read on.")}`;
    show();
  };
  place.replaceChildren(choices, button, " ", said);
}

// An answer is folded until there is a prediction: then it says which, and opens.
function show() {
  for (const fold of document.querySelectorAll("details")) {
    const summary = fold.querySelector(":scope > summary");
    fold.number ??= /^(\d\d\.\d+): /.exec(summary?.textContent)?.[1];
    if (!fold.number) continue;
    const given = recorded()[fold.number], outer = fold.parentElement.closest("details.answer");
    summary.textContent = given ? `${fold.number}: ${say("you predicted")} ${shown(given[0].answer)}` : `${fold.number}: ${say("record a prediction above, or look")}`;
    fold.open = Boolean(given) || outer !== null;
    if (outer) {
      outer.open = Boolean(given);
      outer.firstElementChild.textContent = given ? say("The answer to {number}", fold.number) : summary.textContent;
    }
  }
  for (const place of document.querySelectorAll(".looking-back")) {
    const rows = Object.entries(ANSWERS).map(([number, truth]) => {
      const given = recorded()[number];
      return given && [number, given.map(({ answer }) => shown(answer)).join(say("; second: ")), shown(truth), given[0].answer === truth ? say("right") : ""];
    });
    const right = rows.filter((row) => row?.[3]).length;
    const table = document.createElement("table");
    table.append(element("caption", say("{number} first answers were right.", `${right} ${say("of")} ${rows.length}`)));
    const line = (name, cells) => { const row = document.createElement("tr"); row.append(...cells.map((text) => element(name, text))); return row; };
    table.append(line("th", [say("question"), say("your answer"), say("it is"), ""]));
    table.append(...Object.keys(ANSWERS).map((number, k) => line("td", rows[k] ?? [number, say("none"), "", ""])));
    const save = element("button", say("Save my answers as a file"), { type: "button" });
    save.onclick = () => {
      const text = new Blob([JSON.stringify(recorded(), null, 1)], { type: "application/json" });
      const link = element("a", "", { href: URL.createObjectURL(text), download: "predictions.json" });
      link.click();
      URL.revokeObjectURL(link.href);
    };
    place.replaceChildren(table, save);
  }
}
for (const place of document.querySelectorAll(".snnlab-question[data-asked]")) ask(place);
show();
