/* SPDX-FileCopyrightText: 2026 Keystead contributors
   SPDX-License-Identifier: GPL-3.0-or-later */
"use strict";
(() => {
  const PAGE = 25;
  const SMALL = 12; // rows that need no filter
  const PRINTED = 1000;
  const LEVELS = ["critical", "high", "medium", "low", "none"];
  const HEALTH = ["failed", "warning", "pending", "unknown", "ok"];
  const RANKS = { risk: LEVELS, health: HEALTH };
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  // Whatever stands in the data becomes text: nothing here makes markup of it.
  const made = (name, attributes, ...children) => {
    const one = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value !== null) one.setAttribute(key, value);
    }
    one.append(...children);
    return one;
  };
  const empty = (value) => value === null || (Array.isArray(value) && value.length === 0);
  const number = (value) => value.toLocaleString("en");

  const browsers = new Map();

  class Browser {
    constructor(root, data) {
      this.root = root;
      this.columns = data.columns;
      this.rows = data.rows;
      this.shown = data.columns.map((_, index) => index).filter((index) => !data.columns[index].detail);
      this.details = data.columns.map((_, index) => index).filter((index) => data.columns[index].detail);
      this.text = "";
      this.chosen = new Map();
      this.choices = new Map();
      this.order = null;
      this.page = 0;
      this.open = new Set();
      this.body = root.querySelector("tbody");
      root.classList.toggle("folds", this.details.length > 0);
      this.makeHeadings();
      this.makeTools();
      this.makePages();
      this.update();
    }

    // Made when somebody filters for the first time.
    texts() {
      this.words = this.words || this.rows.map((row) => row.flat().join("\n").toLowerCase());
      return this.words;
    }

    makeHeadings() {
      this.headings = [...this.root.querySelectorAll("th")];
      this.headings.forEach((heading, place) => {
        const button = made("button", { type: "button" }, heading.textContent);
        button.addEventListener("click", () => this.sort(this.shown[place], heading));
        heading.replaceChildren(button);
      });
    }

    makeTools() {
      const tools = this.tools = this.root.querySelector(".tools");
      this.count = made("p", { class: "count", role: "status" });
      this.all = made("button", { type: "button" }, "Show all");
      this.all.addEventListener("click", () => {
        this.clear();
        this.first();
        (this.search || this.root.querySelector(".scroll")).focus(); // what is hidden cannot keep it
      });
      if (this.rows.length > SMALL) {
        this.search = made("input", { type: "search", autocomplete: "off", spellcheck: "false" });
        this.search.addEventListener("input", () => {
          this.text = this.search.value.trim().toLowerCase();
          this.first();
        });
        tools.append(made("label", {}, "Filter", this.search));
        this.columns.forEach((column, index) => column.choose && this.makeChoice(tools, column, index));
      }
      tools.append(this.all, this.count);
    }

    makeChoice(tools, column, index) {
      const values = new Map();
      for (const row of this.rows) {
        for (const value of [row[index]].flat()) {
          if (value !== null) values.set(value, (values.get(value) || 0) + 1);
        }
      }
      if (values.size < 2 || values.size > 1000) return;
      const rank = (value) => (RANKS[column.kind] ? RANKS[column.kind].indexOf(value) : 0);
      const names = [...values.keys()].sort((a, b) => rank(a) - rank(b) || collator.compare(a, b));
      const select = made("select", { "data-column": column.key }, new Option("all", ""));
      for (const name of names) select.append(new Option(`${name.slice(0, 60)} (${number(values.get(name))})`, name));
      select.addEventListener("change", () => {
        if (select.value) this.chosen.set(index, select.value);
        else this.chosen.delete(index);
        this.first();
      });
      this.choices.set(index, select);
      tools.append(made("label", {}, column.label, select));
    }

    makePages() {
      const step = (label, by) => {
        const button = made("button", { type: "button" }, label);
        button.addEventListener("click", () => {
          this.page += by;
          this.update();
          if (button.disabled) (by > 0 ? this.before : this.after).focus(); // what is disabled cannot keep it
          this.root.scrollIntoView({ block: "start" });
        });
        return button;
      };
      this.where = made("span");
      this.before = step("Previous", -1);
      this.after = step("Next", 1);
      this.pages = made("div", { class: "pages", role: "group", "aria-label": "Pages" }, this.where, this.before, this.after);
      this.printed = made("p", { class: "printed" });
      this.root.append(this.pages, this.printed);
    }

    clear() {
      this.chosen.clear();
      for (const select of this.choices.values()) select.value = "";
      this.text = "";
      if (this.search) this.search.value = "";
    }

    choose(key, value) {
      this.clear();
      const index = this.columns.findIndex((column) => column.key === key);
      this.chosen.set(index, value);
      if (this.choices.has(index)) this.choices.get(index).value = value;
      this.first();
    }

    sort(index, heading) {
      const down = this.order && this.order.index === index && !this.order.down;
      this.order = { index, down };
      for (const other of this.headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      this.first();
    }

    compare(a, b) {
      const { index, down } = this.order;
      const [left, right] = [this.rows[a][index], this.rows[b][index]];
      if (empty(left) || empty(right)) return empty(left) - empty(right) || a - b;
      const kind = this.columns[index].kind;
      let found;
      if (RANKS[kind]) found = RANKS[kind].indexOf(left) - RANKS[kind].indexOf(right);
      else if (kind === "number") found = left - right;
      else if (kind === "day") found = left < right ? -1 : left > right ? 1 : 0;
      else found = collator.compare(String(left), String(right));
      return (down ? -found : found) || a - b;
    }

    fits(row) {
      for (const [index, value] of this.chosen) {
        const found = this.rows[row][index];
        if (Array.isArray(found) ? !found.includes(value) : found !== value) return false;
      }
      return !this.text || this.text.split(/\s+/).every((word) => this.texts()[row].includes(word));
    }

    first() {
      this.page = 0;
      this.found = null;
      this.update();
    }

    update(most = PAGE) {
      if (!this.found) {
        this.found = [];
        for (let row = 0; row < this.rows.length; row += 1) if (this.fits(row)) this.found.push(row);
        if (this.order) this.found.sort((a, b) => this.compare(a, b));
      }
      const total = this.found.length;
      const last = Math.max(0, Math.ceil(total / PAGE) - 1);
      this.page = Math.min(Math.max(0, this.page), last);
      const from = most > PAGE ? 0 : this.page * PAGE;
      this.body.replaceChildren(...this.found.slice(from, from + most).flatMap((row) => this.made(row)));
      if (!total) {
        this.body.append(made("tr", {}, made("td", { colspan: this.shown.length, class: "none" }, this.rows.length ? "Nothing fits the filter." : "There is none.")));
      }
      this.tell(total);
      this.printed.textContent = total > most ? `The first ${number(most)} of ${number(total)}.` : "";
      this.where.textContent = total > PAGE ? `${number(from + 1)} to ${number(Math.min(total, from + PAGE))}` : "";
      this.pages.hidden = total <= PAGE;
      this.before.disabled = this.page === 0;
      this.after.disabled = this.page === last;
    }

    // Says how much is shown, and by what a figure narrowed it where no choice shows that.
    tell(total) {
      const narrowed = Boolean(this.text) || this.chosen.size > 0;
      const unseen = [...this.chosen].filter(([index]) => !this.choices.has(index)).map(([, value]) => value);
      const count = narrowed ? `${number(total)} of ${number(this.rows.length)}` : `${number(total)} in all`;
      this.count.textContent = [count, ...unseen].join(": ");
      this.all.hidden = !narrowed;
      this.tools.hidden = !narrowed && this.rows.length <= SMALL;
    }

    made(row) {
      const cells = this.shown.map((index, place) => this.cell(row, index, place));
      const line = made("tr", {}, ...cells);
      return this.open.has(row) ? [line, this.unfolded(row)] : [line];
    }

    cell(row, index, place) {
      const { kind } = this.columns[index];
      const value = this.rows[row][index];
      if (empty(value)) return made("td", { class: `${kind} none` }, "\u2013");
      if (RANKS[kind]) return made("td", { class: kind }, made("span", { class: `level ${value}` }, value));
      if (Array.isArray(value)) return made("td", { class: kind }, ...value.map((one) => made("span", { class: "tag" }, made("bdi", { dir: "ltr" }, one))));
      if (kind === "pick") return made("td", { class: kind }, pick("codes", value));
      const text = kind === "number" ? number(value) : value;
      const shown = made("bdi", { dir: "ltr", title: String(text).length > 24 ? text : null }, text);
      if (this.details.length && place === this.fold()) return made("td", { class: kind }, this.button(row, shown));
      return made("td", { class: kind }, shown);
    }

    fold() {
      return this.shown.findIndex((index) => this.columns[index].kind === "text");
    }

    button(row, shown) {
      const button = made("button", { type: "button", class: "fold", "aria-expanded": String(this.open.has(row)) }, shown);
      button.addEventListener("click", () => {
        const line = button.closest("tr");
        if (this.open.delete(row)) line.nextSibling.remove();
        else {
          this.open.add(row);
          line.after(this.unfolded(row));
        }
        button.setAttribute("aria-expanded", String(this.open.has(row)));
      });
      return button;
    }

    unfolded(row) {
      const list = made("dl");
      const whole = this.shown.filter((index) => this.columns[index].kind === "text"); // what may be cut in the row
      for (const index of [...whole, ...this.details]) {
        const value = this.rows[row][index];
        if (empty(value)) continue;
        const shown = Array.isArray(value) ? made("ul", {}, ...value.map((one) => made("li", { dir: "ltr" }, one))) : String(value);
        list.append(made("dt", {}, this.columns[index].label), made("dd", { dir: "ltr" }, shown));
      }
      return made("tr", { class: "detail" }, made("td", { colspan: this.shown.length }, list));
    }
  }

  const picked = (link, key, value) => link.addEventListener("click", () => browsers.get("identities").choose(key, value));
  const pick = (key, value) => {
    const link = made("a", { href: "#identities" }, value);
    picked(link, key, value);
    return link;
  };

  const data = JSON.parse(document.getElementById("data").textContent);
  for (const root of document.querySelectorAll("[data-table]")) {
    browsers.set(root.dataset.table, new Browser(root, data[root.dataset.table]));
  }
  for (const link of document.querySelectorAll("a[data-column]")) {
    picked(link, link.dataset.column, link.dataset.value);
  }
  const stops = new ResizeObserver((seen) => {
    for (const { target } of seen) {
      const scroll = target.closest(".scroll");
      scroll.tabIndex = scroll.scrollWidth > scroll.clientWidth ? 0 : -1; // what does not scroll is nothing to stop at
    }
  });
  for (const one of document.querySelectorAll(".scroll, .scroll > table")) stops.observe(one);
  addEventListener("beforeprint", () => browsers.forEach((one) => one.update(PRINTED)));
  addEventListener("afterprint", () => browsers.forEach((one) => one.update()));

  const theme = document.getElementById("theme");
  const dark = () => {
    const said = document.documentElement.dataset.theme;
    return said ? said === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const label = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    label();
  });
  label();
  document.getElementById("print").addEventListener("click", () => print());
  document.querySelector(".acts").hidden = false;
})();
