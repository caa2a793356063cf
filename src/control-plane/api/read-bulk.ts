import { PortcullisError } from '../../errors/index.ts';
import type { JsonValue } from '../../lib/json.ts';
import type { Turns } from '../../lib/turns.ts';
import { ADMIN_SERVER_LIMITS, parseJson, parseJsonElements } from '../http/index.ts';
import type { BulkFaults } from './bulk-faults.ts';
import { BULK_LIMITS } from './bulk-limits.ts';
import { type BulkOperation, readBulkOperation } from './bulk-operation.ts';
import { resourceName } from './resource-path.ts';

const LINE_FEED = 0x0a;
const BLANK = new Set([0x20, 0x09, 0x0d, LINE_FEED]);
const OPENING_BRACKET = 0x5b;

/**
 * Reads the operations of a bulk: a JSON array, or one JSON object a line (NDJSON). Operations that cannot be understood, or are about the same
 * resource as one before, are noted as faults and left out.
 *
 * @throws PortcullisError 400 when the text is malformed, 413 for too many operations
 */
export async function readBulk(bytes: Uint8Array, groupId: string, faults: BulkFaults, turns: Turns): Promise<readonly BulkOperation[]> {
  const operations: BulkOperation[] = [];
  const firstAbout = new Map<string, number>();
  let index = 0;
  for (const { value, length } of elementsOf(bytes)) {
    if (index >= BULK_LIMITS.operations) throw tooManyOperations();
    if (turns.isDue) await turns.pass();
    const read = readBulkOperation(value, index, groupId);
    if (!read.ok) faults.add(index, undefined, read.issues);
    else {
      const name = resourceName(read.operation.kind, read.operation.key);
      const before = firstAbout.get(name);
      if (before !== undefined) {
        faults.add(index, name, [{ pointer: '', message: `operation ${before} is about the same resource` }]);
      } else if (isTooLong(value, length)) {
        const message = `the operation is too large: the limit is ${ADMIN_SERVER_LIMITS.maxBodyBytes} bytes`;
        faults.add(index, name, [{ pointer: '', message }], 413);
      } else {
        firstAbout.set(name, index);
        operations.push(read.operation);
      }
    }
    index += 1;
  }
  return operations;
}

function* elementsOf(bytes: Uint8Array): Generator<{ readonly value: JsonValue; readonly length: number }, void> {
  const start = bytes.findIndex((byte) => !BLANK.has(byte));
  if (start < 0) throw new PortcullisError('admin_bad_json', { publicMessage: 'invalid request body: the body is empty' });
  yield* bytes[start] === OPENING_BRACKET ? parseJsonElements(bytes) : parseLines(bytes);
}

function* parseLines(bytes: Uint8Array): Generator<{ readonly value: JsonValue; readonly length: number }, void> {
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const next = bytes.indexOf(LINE_FEED, start);
    const end = next < 0 ? bytes.length : next;
    const text = bytes.subarray(start, end);
    if (text.some((byte) => !BLANK.has(byte))) yield { value: parseLine(text, line), length: text.length };
    start = end + 1;
  }
}

function parseLine(text: Uint8Array, line: number): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof PortcullisError)) throw error;
    const publicMessage = error.publicMessage.replace('invalid request body: ', `invalid request body: line ${line} of the bulk: `);
    throw new PortcullisError(error.reason, { publicMessage });
  }
}

/** No operation may store what a single write could not bring. `length` is at least a third of its bytes. */
function isTooLong(value: JsonValue, length: number): boolean {
  const { maxBodyBytes } = ADMIN_SERVER_LIMITS;
  return length * 3 > maxBodyBytes && Buffer.byteLength(JSON.stringify(value)) > maxBodyBytes;
}

function tooManyOperations(): PortcullisError {
  return new PortcullisError('admin_body_too_large', { publicMessage: `a bulk has at most ${BULK_LIMITS.operations} operations` });
}
