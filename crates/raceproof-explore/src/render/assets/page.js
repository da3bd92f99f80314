// Marks one step of a counterexample at a time, follows the keyboard and the address, copies commands, turns the lights
// off. The page is whole without it.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  const themes = ["system", "light", "dark"];
  const store = {
    get: () => { try { return localStorage.getItem("raceproof-theme"); } catch { return null; } },
    set: (theme) => { try { localStorage.setItem("raceproof-theme", theme); } catch { /* a page from a file may not */ } },
  };
  let theme = themes.includes(store.get()) ? store.get() : "system";
  const paint = () => { root.dataset.theme = theme; };
  paint();

  document.addEventListener("DOMContentLoaded", () => {
    const live = document.getElementById("live");
    const say = (text) => { live.textContent = text; };

    const button = document.getElementById("theme");
    const name = () => { button.textContent = `Theme: ${theme}`; };
    button.addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      store.set(theme);
      paint();
      name();
    });
    name();

    // Each case with its steps; `at` is the marked one, -1 for none: then all are shown alike.
    const cases = [...document.querySelectorAll(".case")].filter((one) => one.querySelector(".steps")).map((section) => {
      const steps = [...section.querySelectorAll(".step[id]")];
      const one = { section, steps, at: -1, diagram: section.querySelector(".diagram"), where: section.querySelector(".at") };
      one.all = one.where.textContent;
      return one;
    });
    let last = null;

    const mark = (one, at, quietly) => {
      one.at = Math.max(-1, Math.min(at, one.steps.length - 1));
      last = one;
      one.section.classList.toggle("stepping", one.at >= 0);
      one.section.classList.toggle("through", one.at === one.steps.length - 1);
      one.steps.forEach((step, number) => {
        step.classList.toggle("ahead", one.at >= 0 && number > one.at);
        const rest = step.querySelector(".rest");
        if (rest) rest.open = number === one.at;
        if (number === one.at) step.setAttribute("aria-current", "step");
        else step.removeAttribute("aria-current");
      });
      for (const go of one.section.querySelectorAll("[data-go]")) {
        const back = go.dataset.go === "first" || go.dataset.go === "back";
        go.setAttribute("aria-disabled", String(back ? one.at === 0 : one.at === one.steps.length - 1));
      }
      const step = one.steps[one.at];
      const count = one.steps.length - 1;
      one.where.textContent = one.at < 0 ? one.all : one.at === 0 ? "at the start" : `step ${one.at} of ${count}`;
      if (!step || quietly) return;
      try { history.replaceState(null, "", `#${step.id}`); } catch { /* nor this */ }
      step.scrollIntoView({ block: "nearest" });
      const said = [...step.querySelectorAll(".route, .label, .passes, .answer, .changed")];
      const text = said.map((part) => (part.querySelector("summary") || part).textContent.trim()).join(", ");
      say(`${one.where.textContent}: ${text}`);
    };

    const go = (one, where) => {
      const end = one.steps.length - 1;
      mark(one, { first: 0, back: one.at < 0 ? end : Math.max(0, one.at - 1), next: one.at + 1, last: end }[where]);
    };

    // The case that the keyboard means: where the focus is, else the one stepped through last if it can be seen, else the
    // first that can be seen.
    const seen = (one) => {
      const box = one.diagram.getBoundingClientRect();
      return box.bottom > 80 && box.top < innerHeight - 80;
    };
    const meant = () => cases.find((one) => one.section.contains(document.activeElement))
      || (last && seen(last) ? last : cases.find(seen)) || (cases.length === 1 ? cases[0] : null);

    const keys = { ArrowRight: "next", j: "next", ArrowLeft: "back", k: "back", Home: "first", End: "last" };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
      const one = meant();
      if (!one) return;
      // Home and End are the page's own until one steps.
      const free = event.key === "Home" || event.key === "End";
      if (free && one.at < 0 && !one.section.contains(document.activeElement)) return;
      if (event.key === "Escape" && one.at >= 0) {
        mark(one, -1);
        say("all steps");
      } else if (keys[event.key]) {
        event.preventDefault();
        if (!one.section.contains(document.activeElement)) one.diagram.focus({ preventScroll: true });
        go(one, keys[event.key]);
      }
    });

    for (const one of cases) {
      one.section.addEventListener("click", (event) => {
        const button = event.target.closest("[data-go]");
        if (button) go(one, button.dataset.go);
      });
    }

    // An address names a protocol, or one step of its counterexample.
    const follow = () => {
      let id = "";
      try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
      for (const one of cases) {
        const at = one.steps.findIndex((step) => step.id === id);
        if (at >= 0) {
          mark(one, at, true);
          one.steps[at].scrollIntoView({ block: "center" });
          one.diagram.focus({ preventScroll: true });
        }
      }
    };
    addEventListener("hashchange", follow);
    follow();

    const copy = async (text) => {
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const area = document.createElement("textarea");
        area.value = text;
        document.body.append(area);
        area.select();
        const done = document.execCommand("copy");
        area.remove();
        if (!done) throw new Error("the browser does not let a page copy");
      }
    };
    for (const button of document.querySelectorAll(".copy")) {
      button.addEventListener("click", async () => {
        let said = "Copied";
        try { await copy(button.previousElementSibling.textContent); } catch { said = "Not copied"; }
        button.textContent = said;
        say(said);
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
    }
  });
})();
