// Connects, makes a TLS handshake, asks once and closes, again and again, and tells what it counted in the form of `WrkResult`.
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, connect } from 'node:tls';

const [port = '', connections = '', seconds = '', keysFile = '', kind = '', target = ''] = process.argv.slice(2);
const key = readFileSync(keysFile, 'utf8').split('\n', 1)[0] ?? '';
const request = `GET ${target} HTTP/1.1\r\nHost: bench.example\r\napikey: ${key}\r\nConnection: close\r\n\r\n`;
const options: ConnectionOptions = { host: '127.0.0.1', port: Number(port), servername: 'bench.example', rejectUnauthorized: false };
const counts = { requests: 0, bytes: 0, connect: 0, read: 0, write: 0, timeout: 0, status: 0 };
const times: number[] = [];
let session: Buffer | undefined;

/** Resolves with the status, and whether a session was taken up. */
function ask(): Promise<{ readonly status: number; readonly reused: boolean }> {
  return new Promise((resolve, reject) => {
    const socket = connect(session === undefined ? options : { ...options, session });
    let status = 0;
    let reused = false;
    socket.once('secureConnect', () => {
      reused = socket.isSessionReused();
      socket.write(request);
    });
    if (kind === 'resumed' && session === undefined) {
      socket.on('session', (fresh) => {
        session = fresh;
      });
    }
    socket.on('data', (bytes) => {
      if (status === 0) status = Number(bytes.toString('latin1', 9, 12));
      counts.bytes += bytes.length;
    });
    socket.on('error', reject);
    socket.once('close', () => resolve({ status, reused }));
  });
}

async function loop(untilMs: number): Promise<void> {
  while (performance.now() < untilMs) {
    const startedAtMs = performance.now();
    try {
      const { status, reused } = await ask();
      if (status === 0) counts.read++;
      else if (status >= 400 || reused !== (kind === 'resumed')) counts.status++;
      counts.requests++;
      times.push(performance.now() - startedAtMs);
    } catch {
      counts.connect++;
    }
  }
}

// The session that is taken up; in TLS 1.3 it comes behind the handshake.
if (kind === 'resumed') await ask();
const startedAtMs = performance.now();
await Promise.all(Array.from({ length: Number(connections) }, () => loop(startedAtMs + Number(seconds) * 1000)));
const durationUs = Math.round((performance.now() - startedAtMs) * 1000);
times.sort((one, other) => one - other);
const percentileUs = (share: number): number => Math.round((times[Math.floor(times.length * share)] ?? 0) * 1000);
process.stdout.write(JSON.stringify({ ...counts, durationUs, p50Us: percentileUs(0.5), p99Us: percentileUs(0.99) }));
