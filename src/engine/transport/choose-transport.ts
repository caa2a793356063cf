import { TRANSPORT_KINDS, type TransportKind } from './transport-kind.ts';
import { checkTransport } from './transport-self-check.ts';

/** `auto` takes the quickest that works; the others are the quickest that may be used, `documented` documented interfaces of Node alone. */
export type TransportWish = 'auto' | 'onread' | 'documented';

/** A quicker kind that is not used, and what it got wrong. */
export interface RefusedTransport {
  readonly kind: TransportKind;
  readonly failure: string;
}

export interface TransportChoice {
  readonly kind: TransportKind;
  readonly refused: readonly RefusedTransport[];
}

/**
 * Longest time for the check of one kind. It takes about 20 ms on an idle machine, and was seen to take more than a second where others
 * kept the cores busy. Only a Node that drives sockets otherwise than any known lets the check wait for ever; a thread that falls back
 * because the machine was busy pays for that with each request of its life.
 */
const CHECK_LIMIT_MS = 10_000;

/**
 * The quickest transport that this Node drives exactly as documented sockets are. Each candidate proves itself over real
 * connections on the loopback address first; one that fails, throws or takes more than ten seconds is passed over. Never rejects.
 */
export async function chooseTransport(
  wish: TransportWish,
  check: (kind: TransportKind, limitMs: number) => Promise<void> = checkTransport,
): Promise<TransportChoice> {
  const refused: RefusedTransport[] = [];
  for (const kind of TRANSPORT_KINDS) {
    if (kind === 'documented') break;
    if (wish !== 'auto' && wish !== kind) continue;
    try {
      await check(kind, CHECK_LIMIT_MS);
      return { kind, refused };
    } catch (error) {
      refused.push({ kind, failure: error instanceof Error ? error.message : String(error) });
    }
  }
  return { kind: 'documented', refused };
}
