// A table of many rows: search, filters, sorting and pages. Only the rows of the page in view exist as elements.

const SIZES = [25, 50, 100, 250];

class Grid {
  /**
   * `options`: root, table, noun, caption, columns [{label, sort, cell(row), width, number}], search {label, of(row)},
   * filters [{label, column}], detail(row), idOf(row), anchor.
   */
  constructor(options) {
    Object.assign(this, options);
    this.prefix = this.root.id;
    this.wanted = new Map();
    this.terms = [];
    this.only = null;
    this.size = SIZES[1];
    this.first = 0;
    this.open = new Set();
    this.order = Uint32Array.from({ length: this.table.size }, (_, row) => row);
    this.sorted = { column: null, down: false };
    this.build();
    this.apply();
  }

  /** What is searched, in lower case; made after the first rows are drawn, or when the first letter is typed. */
  haystacks() {
    if (!this.hay) this.hay = Array.from({ length: this.table.size }, (_, row) => this.search.of(row).toLowerCase());
    return this.hay;
  }

  // ---- which rows

  matches() {
    const conditions = [...this.wanted].map(([column, code]) => [this.table.codes(column), code]);
    const hay = this.terms.length ? this.haystacks() : null;
    const rows = this.only ? this.order.filter((row) => holds(this.only, row)) : this.order;
    const found = [];
    for (const row of rows) {
      if (!conditions.every(([codes, code]) => codes[row] === code)) continue;
      if (hay && !this.terms.every((term) => hay[row].includes(term))) continue;
      found.push(row);
    }
    return found;
  }

  apply() {
    this.found = this.matches();
    this.first = 0;
    this.draw();
  }

  sortBy(column) {
    const same = this.sorted.column === column;
    this.sorted = { column, down: same && !this.sorted.down };
    const sign = this.sorted.down ? -1 : 1;
    const { key, codes } = this.sortKey(column.sort);
    const rows = Array.from({ length: this.table.size }, (_, row) => row);
    if (codes) rows.sort((one, other) => sign * (codes[one] - codes[other]) || one - other);
    else rows.sort((one, other) => (key[one] < key[other] ? -sign : key[one] > key[other] ? sign : one - other));
    this.order = Uint32Array.from(rows);
    this.heads();
    this.apply();
    say("Sorted by " + column.label + ", " + (this.sorted.down ? "descending" : "ascending"));
  }

  sortKey(sort) {
    if (typeof sort !== "string") return { codes: sort };
    const column = this.table.raw[sort];
    if (!column.text) return { codes: this.table.codes(sort) };
    return { key: column.text.map((value) => value.toLowerCase()) };
  }

  /** Shows one row, opened, whatever was searched before. */
  reveal(row) {
    this.reset();
    this.open.add(row);
    this.first = Math.floor(this.found.indexOf(row) / this.size) * this.size;
    this.draw();
    const opener = this.body.querySelector("[data-row='" + row + "']");
    opener.scrollIntoView({ block: "start" });
    opener.focus({ preventScroll: true });
  }

  /** Shows only these rows (sorted numbers); `label` says why. */
  restrict(rows, label) {
    this.reset();
    this.only = rows;
    this.apply();
    this.chip.replaceChildren(
      make("span", null, label),
      make("button", { type: "button", onclick: () => { this.reset(); this.input.focus(); } }, "Show all"),
    );
    this.chip.hidden = false;
  }

  reset() {
    this.only = null;
    this.chip.hidden = true;
    this.terms = [];
    this.input.value = "";
    this.wanted.clear();
    for (const select of this.tools.querySelectorAll("select")) select.value = "";
    this.open.clear();
    this.apply();
  }

  // ---- elements

  build() {
    this.input = make("input", { type: "search", id: this.prefix + "-search", autocomplete: "off", spellcheck: "false" });
    this.input.addEventListener("input", () => {
      this.terms = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
      this.apply();
    });
    this.tools = make(
      "form",
      { class: "tools", role: "search", "aria-label": this.caption, onsubmit: (event) => event.preventDefault() },
      make("label", { class: "search" }, this.search.label, this.input),
      this.filters.map((filter) => this.pick(filter)),
      make("button", { type: "button", onclick: () => this.reset() }, "Clear"),
    );
    this.status = make("p", { role: "status", "aria-live": "polite", id: this.prefix + "-count" });
    this.chip = make("p", { class: "chip", hidden: true });
    this.head = make("tr", { role: "row" }, this.columns.map((column) => this.headCell(column)));
    this.body = make("tbody", { role: "rowgroup" });
    const table = make(
      "table",
      { class: "rows", role: "table" },
      make("caption", { class: "unseen" }, this.caption),
      make("thead", { role: "rowgroup" }, this.head),
      this.body,
    );
    this.root.replaceChildren(
      this.tools,
      make("div", { class: "found" }, this.status, this.chip),
      table,
      this.pager(),
    );
  }

  pick({ label, column }) {
    const codes = this.table.codes(column);
    const words = this.table.words(column);
    const counts = new Uint32Array(words.length);
    for (const code of codes) counts[code]++;
    const select = make("select", { id: this.prefix + "-" + column }, make("option", { value: "" }, "any"));
    words.forEach((word, code) => {
      if (!counts[code]) return;
      const name = (shown(word) || "none") + " (" + counts[code].toLocaleString("en-US") + ")";
      select.append(make("option", { value: String(code) }, name));
    });
    select.addEventListener("change", () => {
      if (select.value === "") this.wanted.delete(column);
      else this.wanted.set(column, Number(select.value));
      this.apply();
    });
    return make("label", { class: "pick" }, label, select);
  }

  headCell(column) {
    const attributes = { role: "columnheader", scope: "col", class: column.width || (column.number ? "n" : null) };
    if (!column.sort) return make("th", attributes, column.label);
    const button = make("button", { type: "button", class: "sort", onclick: () => this.sortBy(column) }, column.label);
    return make("th", { ...attributes, "aria-sort": "none", "data-name": column.label }, button);
  }

  heads() {
    this.columns.forEach((column, index) => {
      if (!column.sort) return;
      const sorted = column !== this.sorted.column ? "none" : this.sorted.down ? "descending" : "ascending";
      this.head.children[index].setAttribute("aria-sort", sorted);
    });
  }

  pager() {
    const button = (label, act) => make("button", { type: "button", onclick: act }, label);
    this.back = button("Previous", () => this.turn(-1));
    this.next = button("Next", () => this.turn(1));
    this.where = make("span");
    const select = make("select", { id: this.prefix + "-size" }, SIZES.map((size) => make("option", { value: size }, String(size))));
    select.value = String(this.size);
    select.addEventListener("change", () => {
      this.size = Number(select.value);
      this.first = 0;
      this.draw();
    });
    this.pages = make(
      "nav",
      { class: "pager", "aria-label": "Pages of " + this.noun + "s" },
      this.back, this.where, this.next,
      make("label", null, "Rows per page ", select),
    );
    return this.pages;
  }

  turn(by) {
    this.first += by * this.size;
    this.draw();
    // A button that can go no further takes no focus: hand it on, or the keyboard starts again at the top.
    if (document.activeElement === document.body || document.activeElement.disabled) (by > 0 ? this.back : this.next).focus();
    this.root.scrollIntoView({ block: "start" });
  }

  draw() {
    const found = this.found.length;
    const total = this.table.size;
    const rows = this.found.slice(this.first, this.first + this.size);
    this.body.replaceChildren(...rows.flatMap((row) => this.row(row)));
    if (!rows.length) {
      const empty = make("td", { role: "cell", class: "empty", colspan: this.columns.length }, total ? "Nothing matches." : "There are none.");
      this.body.append(make("tr", { role: "row" }, empty));
    }
    const part = found > rows.length ? ", " + (this.first + 1).toLocaleString("en-US") + " to " + (this.first + rows.length).toLocaleString("en-US") + " shown" : "";
    this.status.textContent = (found === total ? count(total, this.noun) : found.toLocaleString("en-US") + " of " + count(total, this.noun)) + part;
    this.back.disabled = this.first === 0;
    this.next.disabled = this.first + this.size >= found;
    this.where.textContent = "Page " + (this.first / this.size + 1) + " of " + Math.max(1, Math.ceil(found / this.size));
    this.pages.hidden = total <= SIZES[0];
  }

  row(row) {
    const cells = this.columns.map((column, index) => {
      const attributes = { role: index ? "cell" : "rowheader", scope: index ? null : "row", "data-label": index ? column.label : null };
      if (column.number) attributes.class = "n";
      return make(index ? "td" : "th", attributes, index ? column.cell(row) : this.opener(row, column));
    });
    const element = make("tr", { role: "row" }, cells);
    return this.open.has(row) ? [element, this.detailRow(row)] : [element];
  }

  opener(row, column) {
    const id = this.prefix + "-detail-" + row;
    const open = this.open.has(row);
    const { name, under } = column.cell(row);
    const button = make("button", {
      type: "button", class: "opener", "data-row": row, "aria-expanded": String(open), "aria-controls": open ? id : null,
      onclick: (event) => this.toggle(row, event.currentTarget),
    }, make("span", null, name));
    return [button, under ? make("span", { class: "under" }, under) : null];
  }

  toggle(row, button) {
    const element = button.closest("tr");
    const open = !this.open.has(row);
    if (open) {
      this.open.add(row);
      element.after(this.detailRow(row));
      button.setAttribute("aria-controls", this.prefix + "-detail-" + row);
    } else {
      this.open.delete(row);
      element.nextElementSibling.remove();
      button.removeAttribute("aria-controls");
    }
    button.setAttribute("aria-expanded", String(open));
  }

  detailRow(row) {
    const cell = make("td", { role: "cell", colspan: this.columns.length }, this.detail(row));
    return make("tr", { role: "row", class: "detail", id: this.prefix + "-detail-" + row }, cell);
  }

  // ---- print: the pages of a short table all at once, of a long one the page in view

  beforePrint(most) {
    this.kept = { size: this.size, first: this.first };
    if (this.found.length <= most) Object.assign(this, { size: Math.max(most, 1), first: 0 });
    this.draw();
  }

  afterPrint() {
    Object.assign(this, this.kept);
    this.draw();
  }
}
