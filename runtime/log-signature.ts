import { createPublicKey, hash as digest, type KeyObject, verify } from "node:crypto";

/** A signed statement: up to this position the log was this chain. */
export interface LogCheckpoint {
  /** 1, 2, 3 ... without gap, so that a missing one is seen. */
  readonly serial: number;
  readonly logId: string;
  /** Positions count from 1 without gap, so this is also the count of events. */
  readonly position: number;
  /** Chain hash of the event there, hex. */
  readonly hash: string;
  readonly epoch: number;
  /** UTC microseconds when it was signed. */
  readonly wallUs: number;
  readonly keyId: string;
  /** Ed25519 (RFC 8032), base64. */
  readonly signature: string;
}
export type UnsignedCheckpoint = Omit<LogCheckpoint, "signature">;

/** Reads checkpoints, oldest first. */
export const SELECT_CHECKPOINTS = `SELECT serial, log_id AS logId, position, hash, epoch, wall_us AS wallUs, key_id AS keyId, signature
  FROM log_checkpoints ORDER BY serial`;

/** What one archive file must be, signed. It lies beside the file as `<file>.json`. */
export interface ArchiveManifest {
  readonly logId: string;
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** Chain hash before the first row, and of the last. */
  readonly previousHash: string;
  readonly lastHash: string;
  readonly firstWallUs: number;
  readonly lastWallUs: number;
  /** Of the whole file. */
  readonly sha256: string;
  readonly bytes: number;
  readonly keyId: string;
  readonly signature: string;
}
export type UnsignedManifest = Omit<ArchiveManifest, "signature">;

/** What is signed. The first word keeps a signature over one kind of statement from passing as one over another. */
export const checkpointText = (checkpoint: UnsignedCheckpoint): string =>
  JSON.stringify([
    "servofleet-log-checkpoint-1",
    checkpoint.serial,
    checkpoint.logId,
    checkpoint.position,
    checkpoint.hash,
    checkpoint.epoch,
    checkpoint.wallUs,
    checkpoint.keyId,
  ]);

/** What is signed of a manifest. */
export const manifestText = (manifest: UnsignedManifest): string =>
  JSON.stringify([
    "servofleet-log-archive-1",
    manifest.logId,
    manifest.firstPosition,
    manifest.lastPosition,
    manifest.previousHash,
    manifest.lastHash,
    manifest.firstWallUs,
    manifest.lastWallUs,
    manifest.sha256,
    manifest.bytes,
    manifest.keyId,
  ]);

/** Keys by their id. */
export type PublicKeys = ReadonlyMap<string, KeyObject>;

/** Names a key: the first 16 hex digits of the SHA-256 of its DER form. */
export const keyIdOf = (key: KeyObject): string =>
  digest("sha256", key.export({ type: "spki", format: "der" }), "hex").slice(0, 16);

const PEM = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;

/** Every Ed25519 key of a text with PEM blocks; a box that got a new key keeps the old ones there. */
export function publicKeysOf(text: string): PublicKeys {
  const keys = (text.match(PEM) ?? []).map((pem) => createPublicKey(pem));
  return new Map(keys.filter((key) => key.asymmetricKeyType === "ed25519").map((key) => [keyIdOf(key), key]));
}

/** True when `signature` (base64) over `text` is by the key that `keyId` names. */
export function isSignedBy(keys: PublicKeys, keyId: string, text: string, signature: string): boolean {
  const key = keys.get(keyId);
  return key !== undefined && verify(null, Buffer.from(text), key, Buffer.from(signature, "base64"));
}
