import type { Complaint } from "@servofleet/runtime/schema-complaints";

/** One complaint as a line for a person. */
export const profileComplaintLine = ({ path, found, allowed, nearest }: Complaint): string =>
  `${path || "the profile"}: found ${found}; allowed: ${allowed}${nearest ? `; did you mean ${nearest}?` : ""}`;

/** A drive profile that cannot be used. All complaints at once; kills the start of the bridge. */
export class ProfileError extends Error {
  override readonly name = "ProfileError";
  readonly code: "not-found" | "unreadable" | "not-json" | "not-valid";
  readonly facts: { readonly profile: string; readonly complaints?: readonly Complaint[] };
  readonly hint: string;
  readonly complaints: readonly Complaint[];
  constructor(code: ProfileError["code"], profile: string, hint: string, complaints: readonly Complaint[] = []) {
    super(
      [`profile ${profile}: ${hint}`, ...complaints.map((complaint) => `  ${profileComplaintLine(complaint)}`)].join(
        "\n",
      ),
    );
    this.code = code;
    this.facts = complaints.length > 0 ? { profile, complaints } : { profile };
    this.hint = hint;
    this.complaints = complaints;
  }
}
