// Elements and columns. Text of the tenant only ever becomes a text node; no markup is parsed from it.

const SVG = "http://www.w3.org/2000/svg";
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const DIGIT = new Uint8Array(128);
for (let value = 0; value < 64; value++) DIGIT[ALPHABET.charCodeAt(value)] = value;

/** An element: attributes by name (`on…` are listeners, true is an empty attribute, false and null none). */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === "" || child === false) continue;
    element.append(child);
  }
}

/** Text of the tenant: isolated, so that a name written from right to left does not turn its neighbours round. */
function text(value) {
  return make("bdi", null, value);
}

/** Text of ours: `code` between backticks. */
function rich(value) {
  return value.split("`").map((part, index) => (index % 2 ? make("code", null, part) : part));
}

function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", "#icon-" + name);
  drawing.append(use);
  return drawing;
}

function shown(word) {
  return word.replaceAll("_", " ");
}

function badge(family, word) {
  return make("span", { class: "badge " + family + "-" + word.replace(/[^a-z_-]/g, "") }, shown(word) || "none");
}

function count(number, noun) {
  return number.toLocaleString("en-US") + " " + noun + (number === 1 ? "" : "s");
}

function say(message) {
  document.getElementById("said").textContent = message;
}

/** A link to one of Microsoft's pages; what is no https address stays text. */
function page(address) {
  if (!address.startsWith("https://")) return text(address);
  const hint = make("span", { class: "unseen" }, " (opens in a new tab)");
  return make("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, address, hint);
}

function lines(items) {
  return make("ul", { class: "links" }, items.map((item) => make("li", null, item)));
}

/** Rows as columns: see `columns.py`. */
class Table {
  constructor(raw) {
    this.size = raw.count;
    this.raw = raw.columns;
    this.decoded = {};
  }

  words(name) {
    return this.raw[name].words;
  }

  codes(name) {
    if (!this.decoded[name]) this.decoded[name] = decode(this.raw[name].codes, this.words(name).length, this.size);
    return this.decoded[name];
  }

  value(name, row) {
    const column = this.raw[name];
    return column.text ? column.text[row] : column.words[this.codes(name)[row]];
  }
}

/** Codes of `size` rows; how many digits each has follows from the number of words. */
function decode(encoded, words, size) {
  let width = 1;
  while (64 ** width < words) width++;
  const codes = new Uint32Array(size);
  for (let row = 0, at = 0; row < size; row++) {
    let code = 0;
    for (let digit = 0; digit < width; digit++) code = code * 64 + DIGIT[encoded.charCodeAt(at++)];
    codes[row] = code;
  }
  return codes;
}

/** Row numbers from their distances. */
function summed(distances) {
  let row = 0;
  return Uint32Array.from(distances, (distance) => (row += distance));
}

function holds(sorted, wanted) {
  let low = 0;
  let high = sorted.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] === wanted) return true;
    if (sorted[middle] < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}
