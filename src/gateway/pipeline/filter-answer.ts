import type { LocalAnswer } from '../../engine/index.ts';
import { isThenable } from '../../lib/is-thenable.ts';
import type { BodyFilter, ResponseHead } from '../../plugin-kit/index.ts';
import type { ChainMember, PluginChain } from '../runtime/index.ts';
import { abortAll, chainFilters } from './filter-chain.ts';
import { LocalResponseHead } from './local-response-head.ts';
import type { RequestContext } from './request-context.ts';

/** A plugin's filter failed; the answer cannot be given as it is. */
export class FilterFailure extends Error {
  readonly plugin: string;
  readonly phase: 'headerFilter' | 'bodyFilter';

  constructor(plugin: string, phase: 'headerFilter' | 'bodyFilter', cause: unknown) {
    super('a filter failed', { cause });
    this.plugin = plugin;
    this.phase = phase;
  }
}

/** Whether a member takes part in filtering an answer. */
type TakesPart = (member: ChainMember) => boolean;

const EVERYBODY: TakesPart = () => true;
/** Compressing takes time, and nginx compresses no answers to failures either. */
const WITHOUT_CODINGS: TakesPart = ({ instance }) => instance.bodyFilter === undefined || instance.plugin.encodesBody !== true;
/** Where there is no time to wait for a body: who changes bodies also says so in the head, and both must be left alone. */
const WITHOUT_BODY_FILTER: TakesPart = ({ instance }) => instance.bodyFilter === undefined;

/**
 * Runs the header filters over an answer's head, those of global rules first, and gives what its body passes through.
 *
 * @throws FilterFailure
 */
export function filterHead(context: RequestContext, head: ResponseHead, takesPart: TakesPart = EVERYBODY): BodyFilter | undefined {
  context.answerBegins(head);
  context.applyAnswerEdits(head);
  if (!context.chains.filtersAnswers) {
    context.keepAnswer(head);
    return undefined;
  }
  const filters: BodyFilter[] = [];
  try {
    runFilters(context, head, filters, takesPart);
  } catch (error) {
    abortAll(filters);
    throw error;
  } finally {
    context.keepAnswer(head);
  }
  return chainFilters(filters);
}

function runFilters(context: RequestContext, head: ResponseHead, filters: BodyFilter[], takesPart: TakesPart): void {
  runPass(context, head, filters, takesPart, false);
  // Whoever encodes the body comes last, over both chains: nobody behind it could read what there is.
  if (context.chains.encodesBodies) runPass(context, head, filters, takesPart, true);
}

/** Over both chains, those who encode bodies or all others. */
function runPass(context: RequestContext, head: ResponseHead, filters: BodyFilter[], takesPart: TakesPart, encodes: boolean): void {
  const { global, own } = context.chains;
  const inTurn: TakesPart = (member) => (member.instance.plugin.encodesBody === true) === encodes && takesPart(member);
  runHeaderFilters(context, head, global, inTurn);
  runHeaderFilters(context, head, own, inTurn);
  if (!head.hasBody) return;
  addBodyFilters(filters, context, head, global, inTurn);
  addBodyFilters(filters, context, head, own, inTurn);
}

/** An answer of the gateway's own after all filters. A promise where a filter of its body waits for something. @throws FilterFailure */
export function filterLocalAnswer(context: RequestContext, answer: LocalAnswer): LocalAnswer | Promise<LocalAnswer> {
  const head = new LocalResponseHead(answer, context.method === 'HEAD');
  const filter = filterHead(context, head);
  const { body } = answer;
  if (filter === undefined) return withHead(answer, head, body);
  const passed = passWhole(filter, body);
  return passed instanceof Promise ? passed.then((whole) => withHead(answer, head, whole)) : withHead(answer, head, passed);
}

/**
 * An answer that the engine makes and cannot wait for (502, 504, …). Plugins that put a coding on bodies take no part; where the filter of
 * another waits for something, only plugins that leave bodies alone do.
 *
 * @throws FilterFailure
 */
export function filterEngineAnswer(context: RequestContext, answer: LocalAnswer): LocalAnswer {
  const filtered = filterAtOnce(context, answer);
  if (filtered !== undefined) return filtered;
  const head = new LocalResponseHead(answer, context.method === 'HEAD');
  filterHead(context, head, WITHOUT_BODY_FILTER);
  return withHead(answer, head, answer.body);
}

function filterAtOnce(context: RequestContext, answer: LocalAnswer): LocalAnswer | undefined {
  const head = new LocalResponseHead(answer, context.method === 'HEAD');
  const filter = filterHead(context, head, WITHOUT_CODINGS);
  const body = filter === undefined ? answer.body : passWhole(filter, answer.body);
  if (!(body instanceof Promise)) return withHead(answer, head, body);
  // What comes of it later is nobody's any more.
  body.catch(() => {});
  return undefined;
}

function withHead(answer: LocalAnswer, head: LocalResponseHead, body: Buffer): LocalAnswer {
  return { status: head.status, headerLines: head.headerLines, body, reason: answer.reason };
}

function runHeaderFilters(context: RequestContext, head: ResponseHead, chain: PluginChain, takesPart: TakesPart): void {
  for (const { member, run } of chain.headerFilters) {
    if (!takesPart(member) || !context.runs(member.instance)) continue;
    context.entersPlugin(member.number);
    try {
      const result: unknown = run(context, head);
      if (isThenable(result)) throw notNow(result);
    } catch (error) {
      throw new FilterFailure(member.name, 'headerFilter', error);
    }
  }
}

/** A head cannot wait. What the promise brings is nobody's business any more. */
function notNow(result: PromiseLike<unknown>): TypeError {
  Promise.resolve(result).catch(() => {});
  return new TypeError('the head of an answer and the choice of its filters must not wait for anything');
}

function addBodyFilters(
  filters: BodyFilter[],
  context: RequestContext,
  head: ResponseHead,
  chain: PluginChain,
  takesPart: TakesPart,
): void {
  for (const { member, run } of chain.bodyFilters) {
    if (!takesPart(member) || !context.runs(member.instance)) continue;
    context.entersPlugin(member.number);
    try {
      const filter = run(context, head);
      if (filter === undefined) continue;
      if (isThenable(filter)) throw notNow(filter);
      if (typeof filter.write !== 'function' || typeof filter.end !== 'function') throw new TypeError('what it gave is no body filter');
      // It may keep the request as long as it runs, even beyond its end.
      context.reusable = false;
      filters.push(named(context, member, filter));
    } catch (error) {
      throw new FilterFailure(member.name, 'bodyFilter', error);
    }
  }
}

/**
 * The same filter, whose failures say whose they are, and which is noted as entered each time. What a plugin of others gets is its own to keep,
 * at the price of a copy.
 */
function named(context: RequestContext, { name, number, isProduct }: ChainMember, filter: BodyFilter): BodyFilter {
  const { routeNumber } = context;
  const guard = (run: () => void | Promise<void>): void | Promise<void> => {
    const failure = (error: unknown): FilterFailure => new FilterFailure(name, 'bodyFilter', error);
    context.entersPlugin(number, routeNumber);
    try {
      const ran = run();
      if (!isThenable(ran)) return undefined;
      return context.filterRuns(ran).catch((error: unknown) => Promise.reject(failure(error)));
    } catch (error) {
      throw failure(error);
    }
  };
  return {
    write: (chunk, push) => guard(() => filter.write(isProduct ? chunk : Buffer.from(chunk), push)),
    end: (push) => guard(() => filter.end(push)),
    abort: () => {
      context.entersPlugin(number, routeNumber);
      filter.abort?.();
    },
  };
}

function passWhole(filter: BodyFilter, body: Buffer): Buffer | Promise<Buffer> {
  const pieces: Buffer[] = [];
  const push = (bytes: Buffer): void => void pieces.push(bytes);
  try {
    const written = body.length === 0 ? undefined : filter.write(body, push);
    if (written instanceof Promise) return endLater(filter, written, () => filter.end(push), pieces);
    const ended = filter.end(push);
    return ended instanceof Promise ? endLater(filter, ended, () => {}, pieces) : Buffer.concat(pieces);
  } catch (error) {
    filter.abort?.();
    throw error;
  }
}

async function endLater(
  filter: BodyFilter,
  before: Promise<void>,
  end: () => void | Promise<void>,
  pieces: readonly Buffer[],
): Promise<Buffer> {
  try {
    await before;
    await end();
    return Buffer.concat(pieces);
  } catch (error) {
    filter.abort?.();
    throw error;
  }
}
