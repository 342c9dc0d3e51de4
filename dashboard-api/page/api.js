/** What the server said no with (RFC 9457), in one line for a person. */
export class Refused extends Error {
  /** @param {{title: string, detail: string, remedy: string}} problem */
  constructor(problem) {
    super(`${problem.title}: ${problem.detail}. ${problem.remedy}`);
  }
}

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
export async function read(path) {
  return answer(await fetch(path, { headers: { Accept: "application/json" }, cache: "no-store" }));
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function write(method, path, body) {
  /** @type {RequestInit} */
  const options = { method };
  if (body !== undefined)
    Object.assign(options, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  return answer(await fetch(path, options));
}

/** @param {Response} response */
async function answer(response) {
  const body = await response
    .json()
    .catch(() => ({ title: `HTTP ${response.status}`, detail: response.statusText, remedy: "try again" }));
  if (!response.ok) throw new Refused(body);
  return body;
}
