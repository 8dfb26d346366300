// The two grids and the senders' paths: what their columns show and what opens below a row.

const TRIAGE = [["Status", "status"], ["Owner", "owner"], ["Due date", "due"], ["Ticket", "ticket"], ["Analyst comment", "comment"]];

function findingsGrid(data, table, accounts) {
  const raw = data.findings;
  const touched = raw.accounts.map((distances) => distances.length);
  const fact = (row) => raw.facts[row].map((number) => raw.known_facts[number]);
  const [references, controls] = [0, 1].map((at) => (row) => raw.known_references[raw.references[row][at]]);
  const value = (name, row) => table.value(name, row);
  return new Grid({
    root: document.getElementById("findings-grid"),
    table,
    noun: "finding",
    caption: "Findings",
    search: {
      label: "Search title, object, id or evidence",
      of: (row) => ["title", "object_name", "object_id", "id"].map((name) => value(name, row)).concat(fact(row).flat()).join("\n"),
    },
    filters: [
      { label: "Severity", column: "severity" },
      { label: "Outcome", column: "outcome" },
      { label: "Rule", column: "rule" },
      { label: "Object", column: "object_type" },
      { label: "Change", column: "change" },
      ...(raw.columns.status ? [{ label: "Status", column: "status" }, { label: "Owner", column: "owner" }] : []),
    ],
    columns: [
      { label: "Finding", sort: "title", width: "w-title", cell: (row) => ({ name: text(value("title", row)), under: make("span", { class: "muted" }, value("rule", row)) }) },
      { label: "Severity", sort: "severity", cell: (row) => badge("severity", value("severity", row)) },
      { label: "Outcome", sort: "outcome", cell: (row) => badge("outcome", value("outcome", row)) },
      { label: "Object", sort: "object_name", width: "w-object", cell: (row) => [text(value("object_name", row)), " ", make("span", { class: "muted" }, value("object_type", row))] },
      { label: "Accounts", sort: touched, number: true, cell: (row) => touched[row].toLocaleString("en-US") },
      { label: "Change", sort: "change", cell: (row) => value("change", row) },
    ],
    detail: (row) => findingDetail(row, { value, fact, references, controls, touched, accounts, raw }),
  });
}

function findingDetail(row, { value, fact, references, controls, touched, accounts, raw }) {
  const id = value("id", row);
  const facts = fact(row);
  const evidence = make(
    "table",
    { class: "facts-table" },
    make("caption", { class: "unseen" }, "Evidence"),
    make("thead", null, make("tr", null, ["Property", "Value", "Read from"].map((label) => make("th", { scope: "col" }, label)))),
    make("tbody", null, facts.map(([name, said, dataset]) => make("tr", null, make("th", { scope: "row" }, text(name)), make("td", null, text(said || "(empty)")), make("td", null, dataset)))),
  );
  const some = summed(raw.accounts[row].slice(0, 10));
  const listed = [...some].map((account) => accountLink(accounts, account));
  const all = make("a", { href: "#accounts-of=" + encodeURIComponent(id) }, "Show " + (touched[row] === 1 ? "the account" : "all " + count(touched[row], "account")) + " below");
  return [
    facts.length ? [make("h3", null, "Evidence"), evidence] : null,
    make("div", { class: "columns" },
      make("div", null, make("h3", null, "What to do"), make("p", null, rich(value("remedy", row)))),
      make("div", null, make("h3", null, "What that risks"), make("p", null, rich(value("remedy_risk", row))))),
    touched[row] ? [make("h3", null, count(touched[row], "account") + (touched[row] > listed.length ? ", the first " + listed.length : "")), lines([...listed, all])] : null,
    make("h3", null, "Details"),
    pairs([
      ["Id", id],
      ["Object", text(value("object_type", row) + " " + value("object_id", row))],
      ["First seen", value("first_seen", row)],
      ["Controls", controls(row).join(", ")],
      ...(raw.columns.status ? TRIAGE.map(([term, name]) => [term, value(name, row)]) : []),
    ]),
    references(row).length ? [make("h3", null, "Microsoft's pages"), lines(references(row).map(page))] : null,
  ];
}

function accountLink(accounts, row) {
  return make("a", { href: "#account=" + encodeURIComponent(accounts.value("user_id", row)) }, text(accounts.value("user_principal_name", row)));
}

/** A description list without its empty entries. */
function pairs(entries) {
  const told = entries.filter(([, said]) => said !== "" && said !== null && said !== undefined);
  return make("dl", { class: "pairs" }, told.map(([term, said]) => [make("dt", null, term), make("dd", null, said)]));
}

function accountsGrid(data, table, gatesOf, findings) {
  const value = (name, row) => table.value(name, row);
  const word = (family, name) => (row) => badge(family, value(name, row));
  const marks = (row) => [
    value("kind", row) === "user" ? null : badge("kind", value("kind", row)),
    value("is_admin", row) === "true" ? [" ", badge("kind", "administrator")] : null,
    value("sender", row) === "true" ? [" ", badge("kind", "sender")] : null,
  ];
  return new Grid({
    root: document.getElementById("accounts-grid"),
    table,
    noun: "account",
    caption: "Accounts",
    search: {
      label: "Search name, user principal name or id",
      of: (row) => value("display_name", row) + "\n" + value("user_principal_name", row) + "\n" + value("user_id", row),
    },
    filters: [
      { label: "Exposure", column: "exposure" },
      { label: "Basic", column: "basic" },
      { label: "OAuth", column: "oauth" },
      { label: "Deciding blocker", column: "deciding_blocker" },
      { label: "Kind", column: "kind" },
      { label: "Administrator", column: "is_admin" },
      { label: "Sender", column: "sender" },
      { label: "Breaks at retirement", column: "breaks_at_retirement" },
    ],
    columns: [
      { label: "Account", sort: "user_principal_name", width: "w-account", cell: (row) => ({ name: text(value("user_principal_name", row)), under: [make("span", { class: "muted" }, text(value("display_name", row))), " ", marks(row)] }) },
      { label: "Exposure", sort: "exposure", cell: word("exposure", "exposure") },
      { label: "Basic", sort: "basic", cell: word("state", "basic") },
      { label: "OAuth", sort: "oauth", cell: word("state", "oauth") },
      { label: "Deciding blocker", sort: "deciding_blocker", cell: (row) => value("deciding_blocker", row) || "–" },
      { label: "Safest exit", sort: "safest_exit", cell: (row) => value("safest_exit", row) || "–" },
      { label: "Last SMTP success", sort: "smtp_last_success", cell: (row) => value("smtp_last_success", row).slice(0, 10) || "none seen" },
    ],
    detail: (row) => accountDetail(row, { data, value, gatesOf, findings }),
  });
}

function accountDetail(row, { data, value, gatesOf, findings }) {
  const own = data.senders.filter((sender) => sender.account === row);
  const cases = own.length
    ? own.map((sender) => ({ ...sender, name: "Sender " + sender.name + " (uses " + sender.auth + "): ", gates: new Gates(data.blockers, sender.reasons) }))
    : [{ name: "", gates: gatesOf(row), basic: value("basic", row), oauth: value("oauth", row) }];
  const about = findings.about(row).map((finding) => make("span", null, badge("severity", finding.severity), " ", make("a", { href: "#finding=" + encodeURIComponent(finding.id) }, text(finding.title))));
  return [
    cases.map((one) => drawCase(one)),
    make("div", { class: "columns" },
      make("div", null, make("h3", null, "What follows"), pairs([
        ["Exposure", badge("exposure", value("exposure", row))],
        ["Password guessing", badge("exposure", value("password_guessing", row))],
        ["Breaks at retirement", badge("breaks", value("breaks_at_retirement", row))],
        ["Safest exit", value("safest_exit", row)],
        ["User id", value("user_id", row)],
      ])),
      make("div", null, make("h3", null, "Evidence"), pairs([
        ["SMTP use", value("smtp_evidence", row)],
        ["Failure codes", value("smtp_failure_codes", row)],
        ["MFA registered", value("mfa_registered", row)],
        ["Methods", value("methods_registered", row)],
        ["Methods as of", value("methods_as_of", row)],
        ["Per-user MFA", value("per_user_mfa", row)],
        ["Password changed", value("password_last_changed", row)],
      ]))),
    about.length ? [make("h3", null, "Findings about this account"), lines(about)] : null,
  ];
}

function drawCase({ name, gates, basic, oauth }) {
  return [
    drawPath(name + "basic authentication", gates.of("basic"), basic),
    drawPath(name + "OAuth", gates.of("oauth"), oauth),
    drawReasons(gates.all),
  ];
}

/** A button below each declared sender that draws its paths. */
function senderPaths(data) {
  for (const element of document.querySelectorAll("tr[data-sender]")) {
    if (element.dataset.sender === "") continue;
    const sender = data.senders[Number(element.dataset.sender)];
    const id = "sender-path-" + element.dataset.sender;
    const button = make("button", { type: "button", class: "open-path", "aria-expanded": "false" }, "Show the path", make("span", { class: "unseen" }, " of " + sender.name));
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", String(open));
      if (!open) return element.nextElementSibling.remove();
      const gates = new Gates(data.blockers, sender.reasons);
      const drawn = drawCase({ name: sender.name + ": ", gates, basic: sender.basic, oauth: sender.oauth });
      element.after(make("tr", { role: "row", class: "detail", id }, make("td", { role: "cell", colspan: element.children.length }, drawn)));
    });
    element.children[1].append(make("p", null, button));
  }
}
