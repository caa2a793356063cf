import { writeFileSync } from 'node:fs';
import type { KeyTable } from '../key-table.ts';
import type { RowRequest } from '../rows/row.ts';

/** Distinct keys that a run rotates through. */
const DISTINCT_KEYS = 2_000;
/** Fewer where every prepared request carries a body, so that the load generator stays in its caches. */
const DISTINCT_KEYS_WITH_BODY = 200;

/** Line in which the script tells what wrk counted, as JSON; times in microseconds. */
export const RESULT_MARK = 'BENCH-RESULT ';

/** Writes the key list and the Lua program for one kind of request; `file` without an ending. */
export function writeWrkScript(file: string, request: RowRequest, keys: KeyTable): string {
  const sample = keys.sample(request.bodyBytes > 0 ? DISTINCT_KEYS_WITH_BODY : DISTINCT_KEYS);
  const presented = sample.map(({ key }) => (request.key === 'valid' ? key : `not-${key.slice(4)}`));
  writeFileSync(`${file}.keys`, `${presented.join('\n')}\n`);
  writeFileSync(`${file}.lua`, program(file, request));
  return `${file}.lua`;
}

function program(file: string, { method, path, bodyBytes, headers }: RowRequest): string {
  const fields = Object.entries(headers).map(([name, value]) => `, ["${name}"] = "${value.replaceAll('"', '\\"')}"`);
  const body = bodyBytes > 0 ? `string.rep("x", ${bodyBytes})` : 'nil';
  return `local requests, current = {}, 0
init = function()
  local body = ${body}
  for key in io.lines("${file}.keys") do
    requests[#requests + 1] = wrk.format("${method}", "${path}", { Host = wrk.headers["Host"], apikey = key${fields.join('')} }, body)
  end
end
request = function()
  current = current % #requests + 1
  return requests[current]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('${RESULT_MARK}{"requests":%d,"durationUs":%d,"bytes":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d,"p50Us":%d,"p99Us":%d}\\n',
    summary.requests, summary.duration, summary.bytes, e.connect, e.read, e.write, e.timeout, e.status, latency:percentile(50), latency:percentile(99)))
end
`;
}
