export type { BridgeLog } from "./axis/axis-parts.ts";
export { type Bridge, type BridgeParts, startBridge } from "./bridge/bridge.ts";
export type { LinkPlan } from "./bridge/link-plan.ts";
export { linkPlan } from "./bridge/link-plan.ts";
export { checkProfile } from "./profile/check-profile.ts";
export { DriveProfile } from "./profile/drive-profile.ts";
export { loadProfile, shippedProfiles } from "./profile/load-profile.ts";
export { ProfileError, profileComplaintLine } from "./profile/profile-error.ts";
