// Loaded before the first paint. Listeners sit on the document, so they work with and without a circuit.
const themeKey = "egpufleet-theme";
const systemDark = matchMedia("(prefers-color-scheme: dark)");

function chosenTheme() {
  try {
    return localStorage.getItem(themeKey);
  } catch {
    return null; // storage may be forbidden; the system's choice then holds
  }
}

function applyTheme() {
  document.documentElement.dataset.theme = chosenTheme() ?? (systemDark.matches ? "dark" : "light");
}

function toggleTheme() {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  const system = systemDark.matches ? "dark" : "light";
  try {
    // Choosing what the system says means following it again.
    if (next === system) localStorage.removeItem(themeKey);
    else localStorage.setItem(themeKey, next);
  } catch {
    // without storage the choice holds until the page is left
  }
  document.documentElement.dataset.theme = next;
}

async function copy(button) {
  const label = button.querySelector("[data-copy-label]");
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Select and copy";
  }
  setTimeout(() => (label.textContent = "Copy"), 2000);
}

applyTheme();
systemDark.addEventListener("change", applyTheme);

document.addEventListener("click", (event) => {
  const target = event.target.closest?.("[data-theme-toggle], [data-copy], [data-skip], [data-reload]");
  if (!target) return;
  if ("themeToggle" in target.dataset) toggleTheme();
  else if ("copy" in target.dataset) copy(target);
  else if ("reload" in target.dataset) location.reload();
  else {
    event.preventDefault();
    document.getElementById("main")?.focus();
  }
});

// A rejected circuit will never come back; the URL holds all there is, so any silo can serve the page anew.
document.addEventListener("DOMContentLoaded", () => {
  const modal = document.getElementById("components-reconnect-modal");
  modal?.addEventListener("components-reconnect-state-changed", (event) => {
    if (event.detail.state === "rejected") location.reload();
  });
});
