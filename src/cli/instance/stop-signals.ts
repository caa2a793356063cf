/** What a person at the terminal, an init system or the launcher's end asks for. */
export interface StopRequests {
  /** Finish what runs, then end. Called once. */
  readonly onStop: () => void;
  /** End now. */
  readonly onStopNow: () => void;
}

/**
 * One key stroke arrives several times: from the terminal to the whole process group, and again through npm and the launcher.
 * Signals within this time are one.
 */
const SAME_STROKE_MS = 500;

/** Listens for SIGINT, SIGTERM and SIGHUP, and for the end of the launcher. A second signal ends at once. */
export function listenForStop(requests: StopRequests, monotonicMs: () => number): void {
  let firstAtMs: number | undefined;
  const receive = (): void => {
    const nowMs = monotonicMs();
    if (firstAtMs === undefined) {
      firstAtMs = nowMs;
      requests.onStop();
    } else if (nowMs - firstAtMs > SAME_STROKE_MS) {
      requests.onStopNow();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, receive);
  process.on('disconnect', () => {
    if (firstAtMs === undefined) receive();
  });
}
