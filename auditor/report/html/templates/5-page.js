// The page: colours, where one is, links to a finding or an account, and printing.

const PRINTED_FINDINGS = 300;
const PRINTED_ACCOUNTS = 100;

function theme() {
  const root = document.documentElement;
  const group = document.getElementById("theme");
  const choose = (wanted) => {
    if (wanted === "auto") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", wanted);
    for (const button of group.children) button.setAttribute("aria-pressed", String(button.dataset.theme === wanted));
  };
  group.addEventListener("click", (event) => {
    const wanted = event.target.dataset.theme;
    if (!wanted) return;
    choose(wanted);
    remember(wanted);
  });
  choose(remembered());
  group.hidden = false;
}

// A page from a file share may be refused storage: the choice then lasts as long as the page.

function remember(wanted) {
  try {
    localStorage.setItem("tenant-auditor-theme", wanted);
  } catch (refused) {
    if (!(refused instanceof DOMException)) throw refused;
  }
}

function remembered() {
  try {
    const kept = localStorage.getItem("tenant-auditor-theme");
    return ["light", "dark"].includes(kept) ? kept : "auto";
  } catch (refused) {
    if (!(refused instanceof DOMException)) throw refused;
    return "auto";
  }
}

/** Marks the section in view among the links at the top. */
function whereabouts() {
  const links = new Map();
  for (const link of document.querySelectorAll(".sections a")) links.set(link.hash.slice(1), link);
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id).setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const id of links.keys()) seen.observe(document.getElementById(id));
}

/** `#finding=ID` → its two parts; an address that somebody mangled names nothing. */
function named(hash) {
  const [kind, value = ""] = hash.slice(1).split("=");
  try {
    return [kind, decodeURIComponent(value)];
  } catch (mangled) {
    if (!(mangled instanceof URIError)) throw mangled;
    return [kind, ""];
  }
}

function routes(findings, accounts, raw) {
  const go = () => {
    const [kind, wanted] = named(location.hash);
    if (wanted === "") return;
    if (kind === "account") {
      const row = accounts.table.raw.user_id.text.indexOf(wanted);
      if (row >= 0) accounts.reveal(row);
      return;
    }
    const row = findings.table.raw.id.text.indexOf(wanted);
    if (row < 0) return;
    if (kind === "finding") findings.reveal(row);
    if (kind === "accounts-of") {
      accounts.restrict(summed(raw.accounts[row]), "Accounts of: " + findings.table.value("title", row));
      accounts.root.scrollIntoView({ block: "start" });
      accounts.chip.querySelector("button").focus({ preventScroll: true });
    }
  };
  addEventListener("hashchange", go);
  // A link to what the address names already changes no address.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) go();
  });
  go();
}

function printing(findings, accounts) {
  const opened = [];
  addEventListener("beforeprint", () => {
    findings.beforePrint(PRINTED_FINDINGS);
    accounts.beforePrint(PRINTED_ACCOUNTS);
    for (const details of document.querySelectorAll("details:not([open])")) {
      details.open = true;
      opened.push(details);
    }
  });
  addEventListener("afterprint", () => {
    for (const details of opened.splice(0)) details.open = false;
    findings.afterPrint();
    accounts.afterPrint();
  });
}

function start() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const findings = new Table(data.findings);
  const accounts = new Table(data.accounts);
  const codes = data.blockers.map((blocker, index) => decode(data.accounts.reasons[index], blocker.reasons.length, accounts.size));
  const gatesOf = (row) => new Gates(data.blockers, codes.map((column) => column[row]));
  let touching = null;
  const about = (row) => {
    touching ||= data.findings.accounts.map(summed);
    const found = [];
    touching.forEach((rows, finding) => {
      if (holds(rows, row)) found.push({ id: findings.value("id", finding), title: findings.value("title", finding), severity: findings.value("severity", finding) });
    });
    return found;
  };
  const findingRows = findingsGrid(data, findings, accounts);
  const accountRows = accountsGrid(data, accounts, gatesOf, { about });
  senderPaths(data);
  routes(findingRows, accountRows, data.findings);
  printing(findingRows, accountRows);
  whereabouts();
  for (const grid of [accountRows, findingRows]) setTimeout(() => grid.haystacks());
  document.documentElement.dataset.ready = "true";
}

theme();
requestAnimationFrame(() => setTimeout(start)); // the summary is painted before the rows are read
