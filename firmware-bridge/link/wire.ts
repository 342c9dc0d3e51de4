/** What a session tells its owner. After `onDown` nothing more is called. */
export interface WireHandlers {
  onUp(): void;
  onBytes(bytes: Uint8Array): void;
  /** Exactly once, whether the opening failed, the other end went away or `close` was called. */
  onDown(reason: string): void;
}

/** One opening of a port or socket. */
export interface WireSession {
  /**
   * Puts the bytes into the kernel at once and returns how many went in. Fewer than all means that the other end takes
   * nothing: the caller closes the session, so that there is never more than one frame in the kernel.
   */
  write(bytes: Uint8Array): number;
  /** Bytes already in the kernel that no event has brought yet. */
  drain(): Uint8Array;
  /** Idempotent; `onDown` follows. */
  close(reason: string): void;
  /** Settles when the descriptor is closed. */
  readonly closed: Promise<void>;
}

/** Where a line's bytes go: a serial port or a TCP socket. */
export interface Wire {
  /** Starts one opening. Failures arrive as `onDown`. */
  open(handlers: WireHandlers): WireSession;
}
