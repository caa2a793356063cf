import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { InstanceEndpoints } from './instance-endpoints.ts';

/** Writes `instance.json` into the data folder: process id and ports of the running instance, for scripts. Gives back its removal. */
export function writeInstanceRecord(dataFolder: string, endpoints: InstanceEndpoints): () => void {
  const file = path.join(dataFolder, 'instance.json');
  const { streams, ...servers } = endpoints;
  const ports = Object.fromEntries(Object.entries(servers).flatMap(([name, { port }]) => (port === 0 ? [] : [[name, port]])));
  const streamPorts = streams.length === 0 ? {} : { streams: streams.map(({ endpoint }) => endpoint.port) };
  writeFileSync(file, `${JSON.stringify({ pid: process.pid, ports: { ...ports, ...streamPorts } }, undefined, 2)}\n`, { mode: 0o600 });
  return () => rmSync(file, { force: true });
}
