// Entries that could not be sent are kept on this tablet, shown as not sent, and sent again by themselves.
// Each carries a key drawn once, for the entry and for the request: sent twice, it is one row and one answer.
// What is kept is sealed for the person who entered it (seal.js).
// @ts-check

/**
 * @typedef {{ key: string, url: string, body: string, at: string, words: string, because?: string }} Entry
 * @typedef {{ state: "saved" | "kept" } | { state: "held", address: string, title: string } | { state: "refused", because: string[], todo: string }} Result
 */

/** @returns {string} a key no other entry has */
function drawKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}

/** @returns {string} the CSRF token from its cookie */
function csrfToken() {
  const found = document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]*)/);
  return decodeURIComponent(found?.[1] ?? "");
}

/** A drawer of this tablet for one person at one session; what lies in it can be read with that person's key only. */
class Drawer {
  /** @param {string} name @param {string} staff @param {string} secret base64, 32 bytes */
  constructor(name, staff, secret) {
    this.others = `${name}.`;
    this.mine = `${name}.${staff}.`;
    this.seal = new window.ketaclinic.Seal(secret);
  }

  /** @param {Entry} entry */
  async put(entry) {
    if (this.seal.key) localStorage.setItem(this.mine + entry.key, await this.seal.close(JSON.stringify(entry)));
  }

  /** @param {string} key */
  remove(key) {
    localStorage.removeItem(this.mine + key);
  }

  /** @returns {Promise<Entry[]>} what can be read, oldest first */
  async all() {
    /** @type {Entry[]} */
    const found = [];
    for (const name of this.seal.key ? Object.keys(localStorage) : []) {
      if (!name.startsWith(this.mine)) continue;
      try {
        found.push(JSON.parse(await this.seal.open(localStorage.getItem(name) ?? "")));
      } catch {
        // Sealed under another key of the server: it stays where it is, and is counted among the others'.
      }
    }
    return found.sort((a, b) => a.at.localeCompare(b.at));
  }

  /** @param {number} readable @returns {number} how many entries of this session lie here that this person cannot read */
  strangers(readable) {
    return Object.keys(localStorage).filter((name) => name.startsWith(this.others)).length - readable;
  }
}

class Outbox {
  /** @type {Entry[]} */
  #entries = [];

  /** @param {{ name: string, staff: string, secret: string, now: () => number }} options */
  constructor({ name, staff, secret, now }) {
    this.drawer = new Drawer(name, staff, secret);
    this.now = now;
    this.sending = false;
    /** @type {{ address: string, title: string } | null} what the server asked for before it takes what waits */
    this.held = null;
  }

  /** Read what an earlier page left. @returns {Promise<void>} */
  async open() {
    const kept = await this.drawer.all();
    this.#entries = [...kept, ...this.#entries.filter((e) => !kept.some((k) => k.key === e.key))];
  }

  /** @returns {Entry[]} what is not sent yet, oldest first */
  entries() {
    return this.#entries;
  }

  /** @returns {number} how many entries of other people wait on this tablet */
  strangers() {
    return this.drawer.seal.key ? Math.max(0, this.drawer.strangers(this.#entries.length)) : 0;
  }

  /** @param {string} key */
  drop(key) {
    this.#entries = this.#entries.filter((entry) => entry.key !== key);
    this.drawer.remove(key);
  }

  /**
   * Send one entry, or keep it if the server cannot be reached.
   * @param {string} url @param {URLSearchParams} body @param {string} words
   * @returns {Promise<Result>}
   */
  async record(url, body, words) {
    const key = drawKey();
    const at = new Date(this.now()).toISOString();
    body.set("entry_key", key);
    body.set("at", at);
    body.delete("csrfmiddlewaretoken");
    body.delete("intent_key");
    /** @type {Entry} */
    const entry = { key, url, body: body.toString(), at, words: describe(words, body) };
    this.#entries = [...this.#entries, entry];
    await this.drawer.put(entry);
    const result = await this.#send(entry);
    if (result.state === "saved" || result.state === "refused") this.drop(key);
    return result;
  }

  /** Send what waits, in order; stop at the first that does not get through. @returns {Promise<number>} how many were sent */
  async resend() {
    if (this.sending) return 0;
    this.sending = true;
    this.held = null;
    let sent = 0;
    try {
      for (const entry of this.entries()) {
        if (entry.because !== undefined) continue;
        const result = await this.#send(entry, true);
        if (result.state === "held") this.held = result;
        if (result.state === "kept" || result.state === "held") break;
        if (result.state === "saved") {
          this.drop(entry.key);
          sent += 1;
        } else {
          const told = { ...entry, because: `refused: ${[...result.because, result.todo].join(" ")}` };
          this.#entries = this.#entries.map((e) => (e.key === entry.key ? told : e));
          await this.drawer.put(told);
        }
      }
    } finally {
      this.sending = false;
    }
    return sent;
  }

  /** @param {Entry} entry @param {boolean} [again] sent by itself: no sign that somebody is there @returns {Promise<Result>} */
  async #send(entry, again = false) {
    /** @type {Response} */
    let answer;
    try {
      answer = await fetch(entry.url, {
        method: "POST",
        body: new URLSearchParams(entry.body),
        headers: { Accept: "application/json", "Idempotency-Key": entry.key, "X-CSRFToken": csrfToken(), ...(again ? { "Ketaclinic-Resent": "1" } : {}) },
        signal: "timeout" in AbortSignal ? AbortSignal.timeout(8_000) : undefined,
      });
    } catch {
      return { state: "kept" };
    }
    const json = (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
    if (answer.ok && json) return { state: "saved" };
    if (json && answer.headers.get("Ketaclinic-Held")) {
      const said = await answer.json().catch(() => ({}));
      const locked = answer.headers.get("Ketaclinic-Held") === "lock";
      return { state: "held", address: said.unlock ?? said.confirm ?? "", title: locked ? "Locked" : "Is it you?" };
    }
    if (answer.status >= 400 && answer.status < 500 && json) {
      const said = await answer.json().catch(() => ({}));
      return { state: "refused", because: said.because ?? [said.refused ?? "the server refused it"], todo: said.do ?? "" };
    }
    return { state: "kept" };
  }
}

/** @param {string} words @param {URLSearchParams} body @returns {string} the entry as one line */
function describe(words, body) {
  const shown = { systolic: "", heart_rate: "HR ", oxygen_saturation: "SpO₂ ", respiratory_rate: "breaths ", moaas: "MOAA/S ", level: "dissociation ", question: "", answer: "" };
  const parts = Object.entries(shown).flatMap(([name, label]) => {
    const value = body.get(name);
    if (!value) return [];
    return [name === "systolic" ? `BP ${value}/${body.get("diastolic") ?? ""}` : `${label}${value.replaceAll("_", " ")}`];
  });
  return parts.length > 0 ? parts.join(", ") : words;
}

Object.assign((window.ketaclinic ??= {}), { Outbox });
