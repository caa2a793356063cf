import { hash } from 'node:crypto';

/** 64 bits that stand for a service or a node: they are configured, not sent by clients, so two of them meet by no one's will. */
export function slotKey(kind: 'service' | 'node', name: string): bigint {
  return hash('sha256', `${kind} ${name}`, 'buffer').readBigInt64LE(0);
}
