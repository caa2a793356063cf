/**
 * A byte string in memory of its own, for what is kept. `Buffer.from` cuts short texts out of blocks of 64 KiB, and one kept text keeps its
 * whole block: texts of 10,000 connections, made amid other traffic, held 300 MB. Costs 0.4 µs more.
 */
export function ownBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(text.length);
  bytes.write(text, 'latin1');
  return bytes;
}
