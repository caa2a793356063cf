import type { UpstreamTarget } from '../../engine/index.ts';
import { ERROR_CODES } from '../../errors/index.ts';
import type { ResponseHead } from '../../plugin-kit/index.ts';
import { EditableRequest } from './editable-request.ts';

const MS_PER_SECOND = 1000;

/** What is known of a request's answer and of its times: the third part of `RequestContext`, which see. */
export abstract class AnsweredRequest extends EditableRequest {
  /** The value of Host that the upstream gets; undefined for the client's. */
  hostValue: Buffer | undefined;
  /** The status while the answer is on its way; 0 before. */
  answerStatus = 0;
  /** While filters run. */
  #answerHead: ResponseHead | undefined;
  /** Fields of the answer as it was sent, where a log plugin may ask for them. */
  #answerFields: ReadonlyMap<string, string> | undefined;
  /** Kept over requests: one after the other goes to the same few nodes, and a text that is there already is quick to look up. */
  #lastTarget: UpstreamTarget | undefined;
  #lastTargetText = '';

  get nowMs(): number {
    return this.surroundings.nowMs();
  }

  get startedAtMs(): number {
    return this.nowMs - (this.surroundings.monotonicMs() - this.headReadAtMs);
  }

  /** Something looks at the answer or changes it. */
  get filtersAnswers(): boolean {
    return this.chains.filtersAnswers || this.answerEdits !== undefined || this.chains.keepsAnswer;
  }

  /** Applies what plugins set on the answer before it was there. */
  applyAnswerEdits(head: ResponseHead): void {
    this.answerEdits?.applyTo(head);
  }

  /** From here on filters see the answer's status and fields as variables, while they are changed. */
  answerBegins(head: ResponseHead): void {
    this.#answerHead = head;
    this.answerStatus = head.status;
  }

  /** The filters have run: what log plugins may ask for is kept. */
  keepAnswer(head: ResponseHead): void {
    this.#answerHead = undefined;
    this.answerStatus = head.status;
    if (this.chains.keepsAnswer) this.#answerFields = new Map(head.headerNames().map((name) => [name, head.headerValues(name).join(', ')]));
  }

  /** Of the answer as it is now: while filters change it, and behind its end; undefined before there is one. */
  get currentStatus(): number | undefined {
    if (this.#answerHead !== undefined) return this.#answerHead.status;
    return this.status || this.answerStatus || undefined;
  }

  get status(): number {
    return this.current?.status ?? 0;
  }

  get reason(): string | undefined {
    return this.current?.reason;
  }

  get responseSource(): 'upstream' | 'apisix' | 'nginx' {
    const reason = this.current?.reason;
    if (reason === undefined) return this.upstreamStatus === 0 ? 'apisix' : 'upstream';
    return ERROR_CODES[reason].source === 'upstream' ? 'nginx' : 'apisix';
  }

  get upstreamStatus(): number {
    return this.current?.upstreamStatus ?? 0;
  }

  get upstreamAddress(): string | undefined {
    const target = this.current?.upstream;
    if (target === undefined) return undefined;
    if (target !== this.#lastTarget) {
      this.#lastTarget = target;
      this.#lastTargetText = target.address.includes(':') ? `[${target.address}]:${target.port}` : `${target.address}:${target.port}`;
    }
    return this.#lastTargetText;
  }

  get upstreamHost(): string | undefined {
    return this.current?.upstream?.address;
  }

  get upstreamHostText(): string | undefined {
    return this.hostValue?.toString('latin1');
  }

  get attempts(): number {
    return this.current?.attempts ?? 0;
  }

  get bytesFromClient(): number {
    return this.current?.bytesFromClient ?? 0;
  }

  get bytesToClient(): number {
    return this.current?.bytesToClient ?? 0;
  }

  get headReadAtMs(): number {
    return this.current?.headReadAtMs ?? 0;
  }

  get decidedAtMs(): number {
    return this.current?.decidedAtMs ?? 0;
  }

  get connectedAtMs(): number {
    return this.current?.connectedAtMs ?? 0;
  }

  get firstByteAtMs(): number {
    return this.current?.firstByteAtMs ?? 0;
  }

  get finishedAtMs(): number {
    return this.current?.finishedAtMs ?? 0;
  }

  responseHeader(lowerCaseName: string): string | undefined {
    return this.#answerHead?.header(lowerCaseName) ?? this.#answerFields?.get(lowerCaseName);
  }

  responseHeaderNames(): readonly string[] {
    return [...(this.#answerFields?.keys() ?? [])];
  }

  /** Seconds since the request's first byte, to the end where it has ended; with milliseconds. */
  get elapsedSeconds(): number {
    const end = this.finishedAtMs === 0 ? this.surroundings.monotonicMs() : this.finishedAtMs;
    return roundedSeconds(end - (this.current?.startedAtMs ?? end));
  }

  /** Seconds that the upstream took, from the decision to the end; undefined where none was asked. */
  get upstreamSeconds(): number | undefined {
    if (this.upstreamAddress === undefined || this.decidedAtMs === 0) return undefined;
    const end = this.finishedAtMs === 0 ? this.surroundings.monotonicMs() : this.finishedAtMs;
    return roundedSeconds(end - this.decidedAtMs);
  }

  get connectSeconds(): number | undefined {
    return this.connectedAtMs === 0 ? undefined : roundedSeconds(this.connectedAtMs - this.decidedAtMs);
  }

  get upstreamHeaderSeconds(): number | undefined {
    return this.firstByteAtMs === 0 ? undefined : roundedSeconds(this.firstByteAtMs - this.decidedAtMs);
  }

  protected forgetAnswer(): void {
    this.hostValue = undefined;
    this.answerStatus = 0;
    this.#answerHead = undefined;
    this.#answerFields = undefined;
  }
}

function roundedSeconds(durationMs: number): number {
  return Math.max(0, Math.round(durationMs)) / MS_PER_SECOND;
}
