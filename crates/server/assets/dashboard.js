// What the pages do beside showing: a chip that says whether they are live, holding still, keys,
// copying, and the choice of colours. Everything else works without it.
"use strict";
(() => {
  const page = document.documentElement;
  const byId = (id) => document.getElementById(id);

  // Colours: as the system has them, until somebody chooses.
  const kept = () => { try { return localStorage.getItem("colours"); } catch { return null; } };
  const wear = (colours) => { if (colours) page.dataset.colours = colours; };
  wear(kept());
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-colours-switch]")) return;
    const dark = page.dataset.colours ? page.dataset.colours === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const colours = dark ? "light" : "dark";
    wear(colours);
    try { localStorage.setItem("colours", colours); } catch { /* it holds for this page */ }
  });

  // The chip: an event stream that is cut off makes a page old, and that must be seen.
  const follows = () => byId("live")?.hasAttribute("hx-get");
  const isPaused = () => byId("pause")?.getAttribute("aria-pressed") === "true";
  const chip = (state, text) => {
    const pulse = byId("pulse");
    if (!pulse || !follows() || (isPaused() && state === "live")) return;
    pulse.dataset.state = state;
    pulse.textContent = text;
  };
  document.addEventListener("htmx:sse:after:connection", () => chip("live", "live"));
  for (const name of ["htmx:sse:error", "htmx:sse:close"]) {
    document.addEventListener(name, () => chip("stale", "not live: reload the page"));
  }
  document.addEventListener("htmx:after:swap", () => { if (byId("pulse")?.dataset.state !== "stale") chip("live", "live"); });

  // Somebody who reads may hold the page still.
  const pause = byId("pause"), stream = byId("stream");
  if (pause && stream && follows()) {
    pause.hidden = false;
    pause.addEventListener("click", () => {
      const paused = !isPaused();
      pause.setAttribute("aria-pressed", String(paused));
      pause.textContent = paused ? "Go on" : "Hold still";
      if (paused) chip("held", "held still"); else stream.dispatchEvent(new Event("changed"));
    });
  }
  document.addEventListener("htmx:before:request", (event) => {
    if (isPaused() && event.detail.ctx?.sourceElement?.id === "live") event.preventDefault();
  });

  // A refusal, or the page that asks to log in, must not take the place of what is shown.
  document.addEventListener("htmx:before:swap", (event) => {
    const { sourceElement, response, text } = event.detail.ctx ?? {};
    if (!["live", "around"].includes(sourceElement?.id)) return;
    // It was asked for before somebody held the page.
    if (sourceElement.id === "live" && isPaused()) { event.preventDefault(); return; }
    if (response?.status === 200 && text?.includes('id="live"')) return;
    event.preventDefault();
    chip("stale", "not live: reload the page");
  });

  // What somebody unfolded stays unfolded when the page changes.
  window.htmx?.registerExtension("unfolded", {
    htmx_before_morph_attr: (element, change) => element.localName !== "details" || change.attrName !== "open",
  });

  // A form that was refused is still there, with what was typed.
  const back = document.querySelector("[data-back]");
  if (back && history.length > 1) {
    back.hidden = false;
    back.addEventListener("click", () => history.back());
  }

  // What takes long says so, and is not asked for twice.
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("[data-busy]");
    if (!button || event.defaultPrevented) return;
    button.textContent = button.dataset.busy;
    setTimeout(() => { button.disabled = true; });
  });

  // Copying: over plain http browsers have no clipboard for pages, and the text is selected instead.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    const text = button && byId(button.dataset.copy);
    if (!text) return;
    try {
      await navigator.clipboard.writeText(text.value ?? text.textContent);
      button.textContent = "Copied";
    } catch {
      if (text.select) text.select(); else getSelection().selectAllChildren(text);
      button.textContent = "Selected: press Ctrl+C";
    }
  });

  // A file is sent with a bar; without this the form sends it by itself.
  const form = document.querySelector("form[data-upload]");
  if (form) {
    const bar = byId("sent"), says = byId("sent-says"), file = form.querySelector("input[type=file]");
    for (const name of ["dragover", "drop"]) form.addEventListener(name, (event) => event.preventDefault());
    form.addEventListener("drop", (event) => { if (event.dataTransfer.files.length) file.files = event.dataTransfer.files; });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const request = new XMLHttpRequest(), began = performance.now();
      bar.hidden = false;
      request.upload.addEventListener("progress", ({ loaded, total }) => {
        bar.value = total ? loaded / total : 0;
        const megabytes = loaded / 1e6, seconds = (performance.now() - began) / 1000;
        says.textContent = `${megabytes.toFixed(1)} MB sent, ${(megabytes / seconds).toFixed(1)} MB a second`;
        if (loaded === total) says.textContent = "It is all there. Every row is read…";
      });
      request.addEventListener("load", () => {
        if (request.status < 400) { location.assign(request.responseURL); return; }
        const answer = new DOMParser().parseFromString(request.responseText, "text/html");
        says.textContent = answer.querySelector("[role=alert]")?.textContent.trim() || `It did not work: ${request.status}`;
      });
      request.addEventListener("error", () => { says.textContent = "The connection broke: send it again."; });
      request.open("POST", form.action);
      request.send(new FormData(form));
    });
  }

  // Keys: / searches, g and a letter goes to a page, ? shows them, Escape leaves a field.
  let goes = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest("input, textarea, select");
    if (event.key === "Escape") { field?.blur(); byId("keys")?.close(); return; }
    if (field) return;
    if (goes) {
      goes = false;
      const link = document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    if (event.key === "g") { goes = true; setTimeout(() => { goes = false; }, 1500); }
    if (event.key === "/") { event.preventDefault(); byId("search")?.focus(); }
    if (event.key === "?") byId("keys")?.showModal();
  });
})();
