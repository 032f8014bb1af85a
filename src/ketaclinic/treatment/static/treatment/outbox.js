// Entries that could not be sent are kept on this tablet, shown as not sent, and sent again by themselves.
// Each carries a key drawn once: sent twice, it is still one row on the server.
// @ts-check

/**
 * @typedef {{ key: string, url: string, body: string, at: string, words: string, staff: string, because?: string }} Entry
 * @typedef {{ state: "saved" | "kept" } | { state: "refused", because: string[], todo: string }} Result
 */

/** @returns {string} a key no other entry has */
function drawKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}

/** @returns {string} the CSRF token from its cookie */
function csrfToken() {
  const found = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return found ? decodeURIComponent(found.slice("csrftoken=".length)) : "";
}

class Outbox {
  /** @param {{ name: string, staff: string, now: () => number }} options */
  constructor({ name, staff, now }) {
    this.name = name;
    this.staff = staff;
    this.now = now;
    this.sending = false;
  }

  /** @returns {Entry[]} what is not sent yet, oldest first */
  entries() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.name) ?? "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }

  /** @param {Entry[]} entries */
  #keep(entries) {
    if (entries.length === 0) localStorage.removeItem(this.name);
    else localStorage.setItem(this.name, JSON.stringify(entries));
  }

  /** @param {Entry} entry @returns {boolean} whether the person signed in is the one who entered it */
  mine(entry) {
    return entry.staff === this.staff;
  }

  /** @param {string} key */
  drop(key) {
    this.#keep(this.entries().filter((entry) => entry.key !== key));
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
    /** @type {Entry} */
    const entry = { key, url, body: body.toString(), at, words: describe(words, body), staff: this.staff };
    this.#keep([...this.entries(), entry]);
    const result = await this.#send(entry);
    if (result.state !== "kept") this.drop(key);
    return result;
  }

  /** Send what waits, in order; stop at the first that does not get through. @returns {Promise<number>} how many were sent */
  async resend() {
    if (this.sending) return 0;
    this.sending = true;
    let sent = 0;
    try {
      for (const entry of this.entries()) {
        if (entry.because !== undefined || !this.mine(entry)) continue;
        const result = await this.#send(entry);
        if (result.state === "kept") break;
        if (result.state === "saved") {
          this.drop(entry.key);
          sent += 1;
        } else {
          const because = `refused: ${[...result.because, result.todo].join(" ")}`;
          this.#keep(this.entries().map((e) => (e.key === entry.key ? { ...e, because } : e)));
        }
      }
    } finally {
      this.sending = false;
    }
    return sent;
  }

  /** @param {Entry} entry @returns {Promise<Result>} */
  async #send(entry) {
    /** @type {Response} */
    let answer;
    try {
      answer = await fetch(entry.url, {
        method: "POST",
        body: new URLSearchParams(entry.body),
        headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
        signal: "timeout" in AbortSignal ? AbortSignal.timeout(8_000) : undefined,
      });
    } catch {
      return { state: "kept" };
    }
    const json = (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
    if (answer.ok && json) return { state: "saved" };
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
