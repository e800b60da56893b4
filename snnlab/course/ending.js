// The button that ends the kernel asks the notebook server, at the address that the page was served from.
function server() {
  const held = document.getElementById("jupyter-config-data")?.textContent;
  const { baseUrl = "/", token = "" } = held ? JSON.parse(held) : {};
  const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "";
  return { address: `${baseUrl}api/kernels/`, headers: { "X-XSRFToken": xsrf, ...(token && { Authorization: `token ${token}` }) } };
}

function render({ model, el }) {
  const texts = model.get("texts"), { address, headers } = server();
  const said = document.createElement("span");
  const [save, button] = [[texts.save, "snnlab-save"], [texts.button, "snnlab-end"]].map(([text, name]) => {
    const made = document.createElement("button");
    made.textContent = text;
    made.className = `jupyter-button widget-button ${name}`;
    made.style.width = "auto";
    made.style.marginRight = "4px";
    return made;
  });
  said.textContent = texts.why;
  said.setAttribute("role", "status");
  said.style.marginLeft = "4px";
  let asked = false;  // by this view: another one's answer comes here too
  save.onclick = () => { asked = true; model.send({}); };
  const keep = ({ answers }) => {
    if (!asked) return;
    asked = false;
    if (!answers) return void (said.textContent = texts.none);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([answers], { type: "application/json" }));
    link.download = "predictions.json";
    link.click();
    URL.revokeObjectURL(link.href);
  };
  model.on("msg:custom", keep);
  button.onclick = async () => {
    button.disabled = save.disabled = true;
    const ended = await fetch(address + model.get("kernel"), { method: "DELETE", headers }).catch(() => null);
    said.textContent = ended?.ok ? texts.ended : texts.by_hand;
  };
  el.replaceChildren(save, button, said);
  return () => model.off("msg:custom", keep);
}

export default { render };
