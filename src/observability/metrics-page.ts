import type { Clock } from '../lib/clock.ts';

/** The whole text, in pieces that are written one after another. */
export interface MetricsText {
  readonly pieces: readonly Buffer[];
  readonly byteLength: number;
}

/** What a page is made of. */
export interface MetricsPageOptions {
  /** The text, in small pieces. */
  readonly pieces: () => Iterable<string>;
  readonly clock: Clock;
  /** Resolves when others have had their turn. */
  readonly yieldTurn: () => Promise<void>;
}

/** A text is given to all who ask while it is as young as this. */
const MAX_AGE_MS = 1000;
/** The event loop is held for no longer. */
const SLICE_MS = 5;
const PIECE_CHARACTERS = 64 * 1024;

/** The text of all metrics, made when somebody asks, at most once a second, without ever holding the event loop for long. */
export class MetricsPage {
  readonly #options: MetricsPageOptions;
  #text: Promise<MetricsText> | undefined;

  constructor(options: MetricsPageOptions) {
    this.#options = options;
  }

  /** Rejects with what reading the metrics throws. */
  read(): Promise<MetricsText> {
    this.#text ??= this.#make();
    return this.#text;
  }

  async #make(): Promise<MetricsText> {
    // Counted from its beginning, because that is how old its first numbers are.
    const { clock } = this.#options;
    const beganMs = clock.monotonicMs();
    try {
      return await this.#write();
    } finally {
      clock.schedule(Math.max(0, beganMs + MAX_AGE_MS - clock.monotonicMs()), () => {
        this.#text = undefined;
      });
    }
  }

  async #write(): Promise<MetricsText> {
    const { clock, yieldTurn } = this.#options;
    const pieces: Buffer[] = [];
    let text = '';
    let sliceMs = clock.monotonicMs();
    for (const piece of this.#options.pieces()) {
      text += piece;
      if (text.length >= PIECE_CHARACTERS) {
        pieces.push(Buffer.from(text));
        text = '';
      }
      if (clock.monotonicMs() - sliceMs < SLICE_MS) continue;
      await yieldTurn();
      sliceMs = clock.monotonicMs();
    }
    pieces.push(Buffer.from(text));
    return { pieces, byteLength: pieces.reduce((sum, { length }) => sum + length, 0) };
  }
}
