/** The longest delay that a timer can have; a deadline further away is none. */
const LONGEST_MS = 2 ** 31 - 1;
const FORM = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

/** The milliseconds that a value of `grpc-timeout` gives (grpc/doc/PROTOCOL-HTTP2.md); undefined where it is none, or as good as none. */
export function grpcTimeoutMs(value: string): number | undefined {
  const match = FORM.exec(value);
  const unitMs = UNIT_MS[match?.[2] ?? ''];
  if (match === null || unitMs === undefined) return undefined;
  const milliseconds = Math.ceil(Number(match[1]) * unitMs);
  return milliseconds > LONGEST_MS ? undefined : milliseconds;
}
