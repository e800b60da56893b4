// The button asks the notebook server, at the address that the page was served from.
function server() {
  const held = document.getElementById("jupyter-config-data")?.textContent;
  const { baseUrl = "/", token = "" } = held ? JSON.parse(held) : {};
  const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "";
  return { address: `${baseUrl}api/kernels/`, headers: { "X-XSRFToken": xsrf, ...(token && { Authorization: `token ${token}` }) } };
}

function render({ model, el }) {
  const texts = model.get("texts"), { address, headers } = server();
  const button = document.createElement("button"), said = document.createElement("span");
  button.textContent = texts.button;
  button.className = "jupyter-button widget-button snnlab-end";
  button.style.width = "auto";
  said.textContent = texts.why;
  said.setAttribute("role", "status");
  said.style.marginLeft = "8px";
  button.onclick = async () => {
    button.disabled = true;
    const ended = await fetch(address + model.get("kernel"), { method: "DELETE", headers }).catch(() => null);
    said.textContent = ended?.ok ? texts.ended : texts.by_hand;
  };
  el.replaceChildren(button, said);
}

export default { render };
