import type { ArchiveEntry } from "@servofleet/runtime/log-archives";
import { type ArchiveManifest, isSignedBy, manifestText, type PublicKeys } from "@servofleet/runtime/log-signature";
import { type LogFlaw, logFlaw } from "./log-flaw.ts";

/** What was found of one archive on the disk. */
export interface FoundArchive {
  readonly manifest: ArchiveManifest | undefined;
  readonly sha256: string;
}

/** Holds an archive file whose rows fit the chain against its signed manifest. Pure. */
export function archiveFlaw(entry: ArchiveEntry, found: FoundArchive, keys: PublicKeys): LogFlaw | null {
  const { firstPosition: from, lastPosition: to, file } = entry;
  const { manifest } = found;
  if (!manifest) return logFlaw("forged", from, `${file} has no manifest`, to);
  if (!isSignedBy(keys, manifest.keyId, manifestText(manifest), manifest.signature))
    return logFlaw("forged", from, `the manifest of ${file} is not signed by a known key`, to);
  const same =
    manifest.firstPosition === from &&
    manifest.lastPosition === to &&
    manifest.previousHash === entry.previousHash &&
    manifest.lastHash === entry.lastHash;
  if (!same) return logFlaw("forged", from, `the manifest of ${file} is that of another archive`, to);
  return manifest.sha256 === found.sha256
    ? null
    : logFlaw("altered", from, `${file} is not the file that was sealed, though its rows fit the chain`, to);
}
