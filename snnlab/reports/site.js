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

// Whether a first answer was right, and which way it was wrong.
const verdict = (number, mine) =>
  (mine === ANSWERS[number]?.truth ? say("you predicted {mine}, and that is right.") : say("you predicted {mine}; it is: {truth}."))
    .replace("{mine}", shown(mine)).replace("{truth}", shown(ANSWERS[number]?.truth));
function wrongWay(mine, { truth, tempting }) {
  const off = Number(mine) - Number(truth); // no number where words are the answer
  if (mine === truth) return say("right");
  if (off) return (off > 0 ? say("{off} too many") : say("{off} too few")).replace("{off}", Math.abs(off));
  return tempting[mine] ?? "";
}
// A link to the section that asked a question; its heading begins with its number.
function again(section) {
  const heading = [...document.querySelectorAll("h2[id]")].find(({ textContent }) => textContent.startsWith(`${section} `));
  return element("a", say("section {number}", section), heading ? { href: `#${encodeURIComponent(heading.id)}` } : {});
}

// An answer is folded until there is a prediction: then it says which, and opens.
function show() {
  for (const fold of document.querySelectorAll("details")) {
    const summary = fold.querySelector(":scope > summary");
    fold.number ??= /^(\d\d\.\d+): /.exec(summary?.textContent)?.[1];
    if (!fold.number) continue;
    const given = recorded()[fold.number], outer = fold.parentElement.closest("details.answer");
    summary.textContent = `${fold.number}: ${given ? verdict(fold.number, given[0].answer) : say("record a prediction above, or look")}`;
    fold.open = Boolean(given) || outer !== null;
    if (outer) {
      outer.open = Boolean(given);
      outer.firstElementChild.textContent = given ? say("The answer to {number}", fold.number) : summary.textContent;
    }
  }
  for (const place of document.querySelectorAll(".looking-back")) {
    const numbers = Object.keys(ANSWERS), firsts = numbers.map((number) => recorded()[number]?.[0]?.answer);
    const right = numbers.filter((number, k) => firsts[k] === ANSWERS[number].truth).length;
    const table = document.createElement("table");
    table.append(element("caption", say("{number} first answers were right.", `${right} ${say("of")} ${numbers.length}`)));
    const filled = (name, ...content) => { const made = document.createElement(name); made.append(...content); return made; };
    const line = (name, cells) => filled("tr", ...cells.map((content) => filled(name, content)));
    table.append(line("th", [say("question"), say("your first answer"), say("it is"), say("which way you were wrong"), say("to read again")]));
    table.append(...numbers.map((number, k) => {
      const answer = ANSWERS[number], mine = firsts[k];
      if (mine === undefined) return line("td", [number, say("none"), "", say("not answered"), again(answer.section)]);
      const both = recorded()[number].map((given) => shown(given.answer)).join(say("; second: "));
      return line("td", [number, both, shown(answer.truth), wrongWay(mine, answer), mine === answer.truth ? "" : again(answer.section)]);
    }));
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
