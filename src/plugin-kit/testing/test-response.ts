import type { ResponseHead } from '../response-head.ts';
import { GATEWAY_ANSWER_NAMES, type HeaderLines, HeaderList } from './header-list.ts';

export interface TestResponseOptions {
  /** 200 unless said. */
  readonly status?: number;
  /** `upstream` unless said. */
  readonly source?: 'upstream' | 'gateway';
  readonly headers?: HeaderLines;
  /** True unless said or the status has none. */
  readonly hasBody?: boolean;
}

/** The head of an answer over plain data, edited as the real one is. */
export class TestResponse implements ResponseHead {
  readonly source: 'upstream' | 'gateway';
  readonly #headers: HeaderList;
  readonly #hasBody: boolean;
  #status: number;

  constructor(options: TestResponseOptions = {}) {
    this.#status = options.status ?? 200;
    this.source = options.source ?? 'upstream';
    this.#headers = new HeaderList(options.headers ?? [], GATEWAY_ANSWER_NAMES);
    this.#hasBody = options.hasBody ?? true;
  }

  get status(): number {
    return this.#status;
  }

  /** @throws RangeError for what is no status of a final answer */
  set status(status: number) {
    if (!Number.isInteger(status) || status < 200 || status > 599) throw new RangeError(`${status} is no status of a final answer`);
    this.#status = status;
  }

  get hasBody(): boolean {
    return this.#hasBody && this.#status !== 204 && this.#status !== 304;
  }

  /** All lines as the client would get them. */
  get headers(): HeaderLines {
    return this.#headers.lines;
  }

  header(lowerCaseName: string): string | undefined {
    return this.#headers.first(lowerCaseName);
  }

  headerValues(lowerCaseName: string): readonly string[] {
    return this.#headers.values(lowerCaseName);
  }

  headerNames(): readonly string[] {
    return this.#headers.names();
  }

  setHeader(name: string, value: string): void {
    this.#headers.set(name, value);
  }

  addHeader(name: string, value: string): void {
    this.#headers.add(name, value);
  }

  /** Content-Length stays: it is framing. */
  removeHeader(lowerCaseName: string): void {
    if (lowerCaseName !== 'content-length') this.#headers.remove(lowerCaseName);
  }
}
