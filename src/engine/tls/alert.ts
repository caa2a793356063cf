/** Alerts of RFC 8446 §6.2 that are sent before there is anything to encrypt. */
export const ALERT = { decodeError: 50, internalError: 80, unrecognizedName: 112 } as const;

const ALERT_RECORD = 21;
const FATAL = 2;

/** A fatal alert as a record in clear, in the version that every client reads. */
export function alertRecord(description: number): Buffer {
  return Buffer.from([ALERT_RECORD, 3, 3, 0, 2, FATAL, description]);
}
