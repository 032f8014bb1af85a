// Text a browser keeps for one person is encrypted under a key that comes with the page and lives in its memory only:
// who takes the device, or copies its disk, finds no key on it, and the server gives the page to nobody but that person.
// @ts-check

/** @param {Uint8Array} bytes @returns {string} */
const toText = (bytes) => btoa(String.fromCharCode(...bytes));
/** @param {string} text @returns {Uint8Array} */
const toBytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

class Seal {
  /** @param {string} secret base64, 32 bytes */
  constructor(secret) {
    // Without a secure origin there is no cipher: then nothing is kept at all.
    this.key = "subtle" in crypto && secret !== "" ? crypto.subtle.importKey("raw", toBytes(secret), "AES-GCM", false, ["encrypt", "decrypt"]) : null;
  }

  /** @param {string} text @returns {Promise<string>} */
  async close(text) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await /** @type {any} */ (this.key), new TextEncoder().encode(text));
    const bytes = new Uint8Array(sealed);
    const parts = [];
    for (let at = 0; at < bytes.length; at += 8_192) parts.push(String.fromCharCode(...bytes.subarray(at, at + 8_192)));
    return `${toText(iv)}.${btoa(parts.join(""))}`;
  }

  /** @param {string} sealed @returns {Promise<string>} rejects for what was sealed under another key */
  async open(sealed) {
    const [iv, body] = sealed.split(".").map(toBytes);
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await /** @type {any} */ (this.key), /** @type {any} */ (body));
    return new TextDecoder().decode(plain);
  }
}

Object.assign((window.ketaclinic ??= {}), { Seal });
