// The path of blockers: every gate between a client and Exchange Online in the order of work, with its state.

const STANDING = ["blocks", "unknown", "conditional"];

class Gates {
  /** `codes`: one reason code per blocker, in the order of work. */
  constructor(blockers, codes) {
    this.all = blockers.map((blocker, index) => {
      const [state, sentence, facts, datasets, reply] = blocker.reasons[codes[index]];
      return { blocker, state, sentence, facts, datasets, reply };
    });
  }

  of(channel) {
    return this.all.filter((gate) => gate.blocker.channels.includes(channel));
  }
}

/** The path of one channel, with its verdict in words. */
function drawPath(label, gates, verdict) {
  const firstBlock = gates.findIndex((gate) => gate.state === "blocks");
  const stops = gates.filter((gate) => gate.state === "blocks").length;
  const items = [step("client", "The client", "signs in", "is-start")];
  gates.forEach((gate, index) => {
    const after = firstBlock >= 0 && index > firstBlock;
    const item = step(gate.state, gate.blocker.id, shown(gate.state), "is-" + gate.state);
    item.classList.toggle("after", after);
    item.classList.toggle("decides", index === firstBlock);
    item.dataset.gate = gate.blocker.id;
    item.dataset.state = gate.state;
    items.push(item);
  });
  const sign = { open: "clear", blocked: "blocks" }[verdict] || verdict;
  const end = step(sign, "Exchange Online", shown(verdict), "is-end is-" + sign);
  end.classList.toggle("after", firstBlock >= 0);
  items.push(end);
  const summary = stops ? count(stops, "gate") + (stops === 1 ? " blocks" : " block") + "; look first at " + gates[firstBlock].blocker.id : standing(gates);
  return make(
    "section",
    { class: "channel", "aria-label": label },
    make("p", { class: "says" }, make("h3", null, label), badge("state", verdict), make("span", { class: "muted" }, summary)),
    make("ol", { class: "path", role: "list", "aria-label": label + ", gates in the order of work" }, items),
  );
}

function step(sign, name, state, kind) {
  return make("li", { class: "gate " + kind }, icon(sign), make("span", { class: "name" }, name), make("span", { class: "state" }, state));
}

function standing(gates) {
  const open = gates.filter((gate) => STANDING.includes(gate.state)).map((gate) => gate.blocker.id + " is " + gate.state);
  return open.length ? open.join(", ") : "no gate blocks";
}

/** Why each gate has its state: those that stand in the way first and at length, the others folded. */
function drawReasons(gates) {
  const stand = gates.filter((gate) => STANDING.includes(gate.state));
  stand.sort((one, other) => STANDING.indexOf(one.state) - STANDING.indexOf(other.state));
  const rest = gates.filter((gate) => !STANDING.includes(gate.state));
  return [
    make("h3", null, stand.length ? "What stands in the way" : "Nothing stands in the way in the tenant's settings"),
    stand.length ? make("ol", { class: "reasons" }, stand.map((gate) => reason(gate, true))) : null,
    rest.length
      ? make("details", null, make("summary", null, "Gates that are clear or do not apply (" + rest.length + ")"), make("ol", { class: "reasons" }, rest.map((gate) => reason(gate, false))))
      : null,
  ];
}

function reason(gate, full) {
  const { blocker } = gate;
  return make(
    "li",
    { "data-reason": blocker.id },
    make("p", { class: "what" }, badge("state", gate.state), make("span", null, blocker.id), make("span", { class: "muted" }, blocker.channels.join(" and "))),
    make("p", null, text(gate.sentence)),
    gate.facts.length ? make("p", { class: "small" }, "Read: ", gate.facts.map(([name, value], index) => [index ? "; " : "", text(name), " = ", text(value || "(empty)")])) : null,
    gate.datasets.length ? make("p", { class: "small" }, (gate.state === "unknown" ? "Rests on what was not read or not decided: " : "Source: ") + gate.datasets.join(", ")) : null,
    full && gate.reply ? make("p", { class: "small" }, "Likely reply: ", text(gate.reply)) : null,
    full ? make("details", null, make("summary", null, "What to do, and what that risks"), make("p", null, rich(blocker.remedy)), make("p", { class: "small" }, "Risk: ", rich(blocker.risk)), lines(blocker.sources.map(page))) : null,
  );
}
