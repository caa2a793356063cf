import type { ClientConnection, Exchange, ForwardPlan, LocalAnswer, RequestHead, UpstreamTarget } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';

/** A head parsed from text, without any of the engine's checks. */
export class FakeHead implements RequestHead {
  readonly bytes: Buffer;
  readonly methodStart = 0;
  readonly methodEnd: number;
  readonly targetStart: number;
  readonly targetEnd: number;
  readonly queryStart: number;
  readonly hostStart: number;
  readonly hostEnd: number;
  readonly minorVersion = 1;
  readonly headerCount: number;
  readonly headers: Int32Array;
  readonly body = 'none';
  readonly contentLength = 0;
  readonly cut = new Set<number>();

  constructor(text: string) {
    this.bytes = Buffer.from(text, 'latin1');
    this.methodEnd = text.indexOf(' ');
    this.targetStart = this.methodEnd + 1;
    this.targetEnd = text.indexOf(' ', this.targetStart);
    const question = text.slice(0, this.targetEnd).indexOf('?', this.targetStart);
    this.queryStart = question === -1 ? this.targetEnd : question;
    const offsets = [...text.matchAll(/\r\n([^:\r\n]+):[ \t]*([^\r\n]*)/g)].flatMap((match) => {
      const nameStart = match.index + 2;
      const valueEnd = match.index + match[0].length;
      return [nameStart, nameStart + (match[1]?.length ?? 0), valueEnd - (match[2]?.length ?? 0), valueEnd];
    });
    this.headers = Int32Array.from(offsets);
    this.headerCount = offsets.length / 4;
    const host = this.findHeader(Buffer.from('host'));
    this.hostStart = host === -1 ? 0 : (this.headers[host * 4 + 2] ?? 0);
    this.hostEnd = host === -1 ? 0 : (this.headers[host * 4 + 3] ?? 0);
  }

  findHeader(lowerCaseName: Uint8Array, from = 0): number {
    const wanted = Buffer.from(lowerCaseName).toString('latin1');
    for (let index = from; index < this.headerCount; index++) if (this.nameOf(index).toLowerCase() === wanted) return index;
    return -1;
  }

  cutHeader(index: number): void {
    this.cut.add(index);
  }

  isCut(index: number): boolean {
    return this.cut.has(index);
  }

  nameOf(index: number): string {
    return this.bytes.toString('latin1', this.headers[index * 4], this.headers[index * 4 + 1]);
  }

  /** Names of the headers that go on. */
  get keptNames(): readonly string[] {
    return Array.from({ length: this.headerCount }, (_, index) => index)
      .filter((index) => !this.cut.has(index))
      .map((index) => this.nameOf(index));
  }
}

/** An exchange that only remembers what was decided. Like the engine's, it takes one decision, and none after its end. */
export class FakeExchange implements Exchange {
  readonly head: FakeHead;
  readonly connection: ClientConnection = {
    remoteAddress: '10.0.0.7',
    remotePort: 4000,
    localPort: 9080,
    localAddress: () => '10.0.0.1',
    encrypted: false,
    httpVersion: 1,
    tls: undefined,
    context: undefined,
  };
  context: unknown = undefined;
  answer: LocalAnswer | undefined;
  plan: ForwardPlan | undefined;
  finished = false;
  grantedMs = 0;
  aborted: ErrorReason | undefined;
  upstreamStatus = 0;
  failedAttempts = '';
  upstream: UpstreamTarget | undefined;
  readonly attempts = 0;
  readonly bytesFromClient = 0;
  readonly bytesToClient = 0;
  readonly bodyBytesToClient = 0;
  readonly connectionRequests = 0;
  readonly startedAtMs = 0;
  readonly headReadAtMs = 0;
  readonly decidedAtMs = 0;
  readonly connectedAtMs = 0;
  readonly firstByteAtMs = 0;
  readonly finishedAtMs = 0;

  /** `lines`: header lines without their line breaks, `Host: test` comes by itself. */
  constructor(requestLine: string, lines: readonly string[] = []) {
    this.head = new FakeHead([`${requestLine} HTTP/1.1`, 'Host: test', ...lines, '', ''].join('\r\n'));
  }

  get status(): number {
    return this.answer?.status ?? 0;
  }

  get reason(): ErrorReason | undefined {
    return this.answer?.reason;
  }

  readBody(): Promise<Buffer | 'too-large'> {
    return Promise.resolve('too-large');
  }

  grantTime(durationMs: number): void {
    this.grantedMs += durationMs;
  }

  readBodyStart(): Promise<Buffer> {
    return Promise.resolve(Buffer.alloc(0));
  }

  respond(answer: LocalAnswer): void {
    this.#decide();
    this.answer = answer;
  }

  forward(plan: ForwardPlan): void {
    this.#decide();
    this.plan = plan;
  }

  abort(reason: ErrorReason): void {
    this.aborted = reason;
    this.finished = true;
  }

  #decide(): void {
    if (this.answer !== undefined || this.plan !== undefined) throw new Error('decided twice');
    if (this.finished) throw new Error('decided after the end');
  }
}
