import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { InstanceEndpoints } from './instance-endpoints.ts';

/**
 * Writes `instance.json` into the data folder: process id and ports of the running instance, and the keyring that its control plane uses, for
 * scripts. Gives back its removal.
 */
export function writeInstanceRecord(dataFolder: string, keyringFile: string, endpoints: InstanceEndpoints): () => void {
  const file = recordFileOf(dataFolder);
  const { streams, ...servers } = endpoints;
  const ports = Object.fromEntries(Object.entries(servers).flatMap(([name, { port }]) => (port === 0 ? [] : [[name, port]])));
  const streamPorts = streams.length === 0 ? {} : { streams: streams.map(({ endpoint }) => endpoint.port) };
  const keyring = endpoints.admin.port === 0 ? {} : { keyring_file: keyringFile };
  const record = { pid: process.pid, ports: { ...ports, ...streamPorts }, ...keyring };
  writeFileSync(file, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** The keyring that a running control plane of the folder uses; undefined where none is known to run. */
export function keyringOfInstance(dataFolder: string): string | undefined {
  let record: unknown;
  try {
    record = JSON.parse(readFileSync(recordFileOf(dataFolder), 'utf8'));
  } catch {
    return undefined;
  }
  if (typeof record !== 'object' || record === null || !('pid' in record) || !('keyring_file' in record)) return undefined;
  const { pid, keyring_file: keyringFile } = record;
  // The record of an instance that was killed stays behind.
  return typeof pid === 'number' && typeof keyringFile === 'string' && isAlive(pid) ? keyringFile : undefined;
}

function recordFileOf(dataFolder: string): string {
  return path.join(dataFolder, 'instance.json');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
