import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { chmod, open, readFile, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { keyIdOf } from "@servofleet/runtime/log-signature";
import { LogOpenError } from "./log-open-error.ts";

/** The private key; readable by the controller's user alone. */
export const LOG_KEY_FILE = "log.key";
/** Every public key this log was ever signed with, newest first: copy it away from the box to verify against. */
export const LOG_PUBLIC_KEY_FILE = "log.pub";
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/** Signs what the log states about itself. */
export interface LogSigner {
  readonly keyId: string;
  /** Ed25519 signature, base64. */
  sign(text: string): string;
}

/**
 * The signer of the log in `directory`; the first start makes its key.
 * Rejects with LogOpenError (log-unfit) for a key that others may read, or that is no Ed25519 key.
 */
export async function openLogSigner(directory: string): Promise<LogSigner> {
  const file = join(directory, LOG_KEY_FILE);
  const key = (await readKey(file)) ?? (await makeKey(file));
  const publicKey = createPublicKey(key);
  await keepPublicKey(join(directory, LOG_PUBLIC_KEY_FILE), publicKey);
  return { keyId: keyIdOf(publicKey), sign: (text) => sign(null, Buffer.from(text), key).toString("base64") };
}

async function readKey(file: string): Promise<KeyObject | undefined> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (!found) return undefined;
  if ((found.mode & OTHERS) !== 0)
    throw new LogOpenError(
      "log-unfit",
      { file, mode: (found.mode & 0o777).toString(8) },
      `others may read ${file}, so its signatures prove nothing: chmod 600 it, or remove it and a new key is made`,
    );
  try {
    const key = createPrivateKey(await readFile(file, "utf8"));
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // Said below, in words.
  }
  throw new LogOpenError("log-unfit", { file }, `${file} holds no Ed25519 key: put the right one back, or remove it`);
}

async function makeKey(file: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync("ed25519");
  await writeWhole(file, privateKey.export({ type: "pkcs8", format: "pem" }) as string, OWNER_ONLY);
  return privateKey;
}

async function keepPublicKey(file: string, key: KeyObject): Promise<void> {
  const pem = key.export({ type: "spki", format: "pem" }) as string;
  const kept = await readFile(file, "utf8").catch(() => "");
  if (!kept.includes(pem)) await writeWhole(file, pem + kept, 0o644);
}

/** Either the old content or the new one, and the new one once this resolves, also after a power cut. */
export async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const partial = `${file}.partial`;
  const handle = await open(partial, "w", mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  // The mode given to open is masked, and an old partial file keeps its own.
  await chmod(partial, mode);
  await rename(partial, file);
  const directory = await open(dirname(file), "r");
  await directory.sync().finally(() => directory.close());
}
