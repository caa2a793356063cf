import type { JsonObject } from '../lib/json.ts';
import type { Random } from '../lib/random.ts';
import { answerStatus } from './answer-status.ts';
import { type DemoAnswer, htmlAnswer, jsonAnswer, textAnswer } from './demo-answer.ts';
import type { DemoRequest } from './demo-request.ts';
import { describeHead, describeHeaders, describeWhole } from './describe-request.ts';
import { seededBytes } from './seeded-bytes.ts';

/** What answers draw on besides the request. */
export interface DemoContext {
  readonly random: Random;
  /** Resolves after that time. */
  readonly wait: (durationMs: number) => Promise<void>;
}

interface DemoRoute {
  /** Its group, where it has one, is the `parameter` of `answer`. */
  readonly path: RegExp;
  readonly methods: readonly string[] | 'any';
  readonly answer: (request: DemoRequest, parameter: string, context: DemoContext) => DemoAnswer | Promise<DemoAnswer>;
}

const MAX_DELAY_SECONDS = 10;
const MAX_BYTES = 1024 * 1024;
const MAX_LINES = 100;

const READ = ['GET', 'HEAD', 'OPTIONS'];

const ROUTES: readonly DemoRoute[] = [
  {
    path: /^\/anything(?:\/.*)?$/,
    methods: 'any',
    answer: async (request) => jsonAnswer({ ...(await describeWhole(request)), method: request.method }),
  },
  { path: /^\/headers$/, methods: READ, answer: (request) => jsonAnswer({ headers: describeHeaders(request) }) },
  { path: /^\/get$/, methods: READ, answer: (request) => jsonAnswer(describeHead(request)) },
  { path: /^\/post$/, methods: ['POST', 'OPTIONS'], answer: async (request) => jsonAnswer(await describeWhole(request)) },
  { path: /^\/status\/([^/]+)$/, methods: 'any', answer: (_, codes, { random }) => answerStatus(codes, random) },
  { path: /^\/delay\/([^/]+)$/, methods: 'any', answer: answerLate },
  { path: /^\/bytes\/([0-9]+)$/, methods: READ, answer: answerBytes },
  { path: /^\/stream\/([0-9]+)$/, methods: READ, answer: answerLines },
];

/** The answer to any request. */
export async function answerDemo(request: DemoRequest, context: DemoContext): Promise<DemoAnswer> {
  for (const route of ROUTES) {
    const match = route.path.exec(request.path);
    if (match === null) continue;
    if (route.methods === 'any') return route.answer(request, match[1] ?? '', context);
    const allowed = { Allow: route.methods.join(', ') };
    if (!route.methods.includes(request.method)) {
      return htmlAnswer(405, 'Method Not Allowed', 'The method is not allowed for the requested URL.', allowed);
    }
    if (request.method === 'OPTIONS') return { status: 200, headers: allowed, body: Buffer.alloc(0) };
    return route.answer(request, match[1] ?? '', context);
  }
  return htmlAnswer(
    404,
    'Not Found',
    'The requested URL was not found on the server.  If you entered the URL manually please check your spelling and try again.',
  );
}

async function answerLate(request: DemoRequest, seconds: string, { wait }: DemoContext): Promise<DemoAnswer> {
  if (!/^[0-9]+(?:\.[0-9]+)?$/.test(seconds)) return textAnswer(400, 'Invalid delay: use a number of seconds up to 10.');
  await wait(Math.min(Number(seconds), MAX_DELAY_SECONDS) * 1000);
  const { json: _, ...described } = await describeWhole(request);
  return jsonAnswer(described);
}

function answerBytes(request: DemoRequest, count: string, { random }: DemoContext): DemoAnswer {
  const length = Math.min(Number(count), MAX_BYTES);
  const seed = new URLSearchParams(request.query).get('seed');
  if (seed !== null && !/^[0-9]{1,10}$/.test(seed)) return textAnswer(400, 'Invalid seed: use a number of up to ten digits.');
  const body = seed === null ? random.bytes(length) : seededBytes(length, Number(seed));
  return { status: 200, headers: { 'Content-Type': 'application/octet-stream' }, body };
}

function answerLines(request: DemoRequest, count: string): DemoAnswer {
  const described: JsonObject = describeHead(request);
  const body = Array.from({ length: Math.min(Number(count), MAX_LINES) }, (_, id) =>
    Buffer.from(`${JSON.stringify({ ...described, id })}\n`),
  );
  return { status: 200, headers: { 'Content-Type': 'application/json' }, body };
}
