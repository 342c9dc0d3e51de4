import { scrypt } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";

/** Cost of a password hash as the users file has it: N 2^15, r 8, some 50 to 100 ms of one core. */
const HASH = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 };
const HASH_BYTES = 32;
/** Written and forced to disk again and again: whoever wants to commit waits behind it. */
const DISK_BYTES = 4 * 2 ** 20;

/**
 * Makes this process as busy as a controller under attack: so many password hashes at any time in libuv's pool, and a
 * disk that is always behind. Returns the function that ends it.
 */
export function busyController(hashes: number, directory: string): () => Promise<void> {
  let ended = false;
  const hashing = async () => {
    while (!ended) {
      await new Promise<void>((resolve, reject) =>
        scrypt("password", "salt", HASH_BYTES, HASH, (error) => (error ? reject(error) : resolve())),
      );
    }
  };
  const writing = async () => {
    const file = await open(join(directory, "slow-disk"), "w");
    const bytes = Buffer.alloc(DISK_BYTES, 1);
    while (!ended) {
      await file.write(bytes, 0, bytes.length, 0);
      await file.datasync();
    }
    await file.close();
  };
  const loops = [writing(), ...Array.from({ length: hashes }, hashing)];
  return async () => {
    ended = true;
    await Promise.all(loops);
  };
}
