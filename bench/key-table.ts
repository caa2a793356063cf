import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';

/** More keys than this belong to several consumers each: what a peer does for a request is the same, and filling the store is bearable. */
const MAX_CONSUMERS = 10_000;
const LINES_PER_WRITE = 10_000;

export interface KeyOfConsumer {
  readonly key: string;
  readonly consumer: string;
}

/** The keys of a run, the same on every machine and for every peer. They open nothing but the peers of a run. */
export class KeyTable {
  readonly count: number;
  readonly consumers: number;

  constructor(count: number) {
    this.count = count;
    this.consumers = Math.min(count, MAX_CONSUMERS);
  }

  /** 32 hexadecimal digits, and the consumer who owns them. */
  at(index: number): KeyOfConsumer {
    const key = createHash('sha256').update(`portcullis bench ${index}`).digest('hex').slice(0, 32);
    return { key, consumer: this.consumerAt(index) };
  }

  consumerAt(index: number): string {
    return `consumer_${index % this.consumers}`;
  }

  /** At most `limit` of the keys, spread over the whole table. */
  sample(limit: number): readonly KeyOfConsumer[] {
    const taken = Math.min(limit, this.count);
    return Array.from({ length: taken }, (_, index) => this.at(Math.floor((index * this.count) / taken)));
  }

  /** Writes a line for each key. */
  writeLines(file: string, line: (entry: KeyOfConsumer) => string): void {
    const descriptor = openSync(file, 'w');
    for (let start = 0; start < this.count; start += LINES_PER_WRITE) {
      const length = Math.min(LINES_PER_WRITE, this.count - start);
      writeSync(descriptor, Array.from({ length }, (_, index) => `${line(this.at(start + index))}\n`).join(''));
    }
    closeSync(descriptor);
  }
}
