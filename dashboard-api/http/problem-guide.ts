import type { ProblemSlug } from "@servofleet/contracts";

/** What each problem means and what to do, for the person who meets it. */
export const PROBLEM_GUIDE: Record<ProblemSlug, { readonly means: string; readonly doThis: string }> = {
  "validation-error": {
    means:
      "The request has a wrong type, a missing or a foreign field, or an unusable query parameter. Nothing was done.",
    doThis: "Read `errors`: each names the field. The shapes are in /docs.",
  },
  unauthenticated: { means: "The request says nothing about who sends it.", doThis: "Sign in or send a key." },
  forbidden: {
    means: "This caller, host or origin may not do this.",
    doThis: "Use the address that the box printed at start, or ask whoever runs the box.",
  },
  "not-found": {
    means: "There is no such route, or no axis, group, link, command or alarm of that name.",
    doThis: "`remedy` lists the names there are; /docs lists the routes.",
  },
  "method-not-allowed": {
    means: "The route exists, but not for this method.",
    doThis: "The `Allow` header names the methods; /docs shows what each does.",
  },
  "unsupported-media-type": { means: "The body is not JSON.", doThis: "Send `Content-Type: application/json`." },
  "axis-not-ready": {
    means: "The axis is in a state in which this command is not allowed, or it has not been homed. Nothing was sent.",
    doThis: "Look at `state` and `homed` of the axis: enable it, reset its fault, or home it first.",
  },
  "axis-offline": {
    means: "The drive does not answer. Nothing was sent.",
    doThis: "Check power, wiring and the unit number. The axis comes back by itself once the drive answers.",
  },
  "stop-latched": {
    means: "A stop is latched on this axis. Only Stop, Disable and Reset pass.",
    doThis: "Find out why it was stopped, then send Reset at standstill. A reset never moves anything.",
  },
  "reconcile-required": {
    means: "After a restart the axis was found moving, or the outcome of a command stayed open.",
    doThis: "Look at the axis itself, then decide with POST /v1/axes/{axis}/reconcile.",
  },
  "run-not-ready": {
    means: "A run of a program cannot be started, paused, resumed or aborted in the state it is in.",
    doThis: "GET /v1/runs/{id} shows how it stands and what it waits for.",
  },
  "deadline-passed": {
    means: "A step of a run, its halt or its compensation took longer than its deadline. The run has left its way.",
    doThis: "Look at the axis of the step, then at the deadline: a dry run shows how long the step needs.",
  },
  "already-dispatched": {
    means: "The command has been sent to the drive and can no longer be cancelled.",
    doThis: "Halt or stop the axis instead.",
  },
  "version-mismatch": {
    means: "The axis has changed since the version named in If-Match. Nothing was done.",
    doThis: "Read the axis again, decide again, and send its new ETag.",
  },
  "jog-ended": {
    means: "The hold-to-run session is over: it was let go, no beat came in time, or its motion has ended.",
    doThis: "Let go of the button, press it again and open a new session.",
  },
  "payload-too-large": { means: "The body is larger than any command needs.", doThis: "Send one command per request." },
  "soft-limit": {
    means: "The target or rate lies beyond the configured limits of the axis. Nothing was sent.",
    doThis: "`errors` names the value and its limit; ask for one inside.",
  },
  "idempotency-key-reused": {
    means: "This Idempotency-Key was used before for another request.",
    doThis: "Use a new key for a new wish; the same key only to repeat the very same request.",
  },
  "ttl-out-of-range": {
    means: "`ttlMs`, the time within which the command must start, is outside 50 to 60000.",
    doThis: "Choose a value inside, or leave it out for 5000.",
  },
  "unsupported-by-drive": {
    means: "The profile of this drive does not have that command or parameter.",
    doThis: "Look at the profile, or use a command the drive has.",
  },
  "axis-leased": { means: "Somebody else holds control of this axis.", doThis: "Wait, or take over from the holder." },
  "rate-limited": {
    means: "Too many requests came from this caller. Stops are never counted.",
    doThis: "Wait for `Retry-After`; watch with a stream instead of asking often.",
  },
  "queue-full": {
    means: "As many commands wait for this axis or link as may wait. Nothing was queued.",
    doThis: "Let running commands end before sending more.",
  },
  "link-down": {
    means: "The cable or socket to the drive is down. Nothing was sent.",
    doThis: "Check the adapter, the cable or the network. The link opens again by itself.",
  },
  "log-unavailable": {
    means: "The command could not be written to the event log, so it was not accepted. Stops keep working.",
    doThis: "Check the disk of the box: free space, then its health.",
  },
  "shutting-down": { means: "The box is stopping its axes to shut down.", doThis: "Ask again after it has started." },
  "service-unavailable": {
    means: "A part of the box does not answer now. The other parts go on.",
    doThis: "Ask again after `Retry-After`. /readyz?verbose shows what is missing.",
  },
  "read-model-behind": {
    means: "The read side has not yet seen the log position you asked to wait for.",
    doThis: "Ask again, with a longer `waitMs` if need be. The command itself is not affected.",
  },
  "internal-error": {
    means: "The software failed on this request. That is a bug.",
    doThis: "Keep the request and the log of the service, and report it. Look at the axis before going on.",
  },
  "drive-exception": {
    means: "The drive answered the request with an exception: it refused it.",
    doThis: "`detail` has the exception code. Check that the profile is the right one for this drive.",
  },
  "bus-timeout": {
    means: "The drive did not answer in time. A write that timed out may have been carried out.",
    doThis: "Look at the command's `state` and `settled`: it is settled by reading the drive, never by sending again.",
  },
  "drive-fault": {
    means: "The drive itself reports a fault and does not move.",
    doThis: "`fault` of the axis names it and its remedy. Remove the cause, then send Reset.",
  },
  "following-error": {
    means: "The axis could not follow its target closely enough.",
    doThis: "Check for a blocked or overloaded shaft; try a lower velocity or acceleration.",
  },
  "limit-reached": {
    means: "The motion was ended at a limit.",
    doThis: "Move the axis back into its range.",
  },
};
