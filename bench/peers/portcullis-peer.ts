import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PLUGIN_VARIANTS, variantPrefix } from '../plugins/plugin-variants.ts';
import { type AdminAddress, adminPut } from '../portcullis/admin-put.ts';
import { Instance, type InstanceOptions } from '../portcullis/instance.ts';
import { knownFlag } from '../portcullis/known-flag.ts';
import type { Peer, PeerJob } from './peer.ts';

const LIMIT_FLAG = '--max-connections';

/** Who calls where the keys of a run are not what is presented. */
const CALLER = 'bench-caller';
const SERVER_NAME = 'bench.example';

const FILL_PROGRAM = fileURLToPath(new URL('../portcullis/fill-store-process.ts', import.meta.url));

export interface PortcullisPeerOptions {
  readonly name: string;
  readonly checkout: string;
  readonly nodeOptions?: string;
}

/** Portcullis out of one checkout: configured through its Admin API, its keys written into the store before the start that counts. */
export function portcullisPeer({ name, checkout, nodeOptions }: PortcullisPeerOptions): Peer {
  return {
    name,
    version() {
      const { version }: { readonly version: string } = JSON.parse(readFileSync(path.join(checkout, 'package.json'), 'utf8'));
      return version;
    },
    refuses({ connectionLimit }) {
      if (connectionLimit === undefined || knownFlag(checkout, LIMIT_FLAG) !== undefined) return undefined;
      return 'this version has no setting for it';
    },
    async start(job) {
      const options = { session: job.session, checkout, dataFolder: job.folder, token: `a7ee-${randomBytes(24).toString('hex')}` };
      await prepare(job, { ...options, keyCount: 0, flags: ['--workers', '1'], nodeOptions: undefined });
      const instance = await Instance.start({ ...options, keyCount: job.keys.count, flags: flagsOf(job, checkout), nodeOptions });
      instance.pin(job.cores.gateway, job.cores.load);
      return {
        port: job.setup.tls ? instance.httpsPort : instance.httpPort,
        dataPlane: () => [instance.gateway],
        others: () => instance.others,
        stop: () => instance.stop(),
      };
    },
  };
}

function flagsOf({ setup }: PeerJob, checkout: string): readonly string[] {
  const limit = setup.connectionLimit === undefined ? undefined : knownFlag(checkout, LIMIT_FLAG);
  return [
    '--workers',
    String(setup.workers),
    ...(setup.accessLog ? [] : ['--access-log', 'off']),
    // The load generator names an address, if anything.
    ...(setup.tls ? ['--fallback-sni', SERVER_NAME] : []),
    ...(limit === undefined ? [] : [limit, String(setup.connectionLimit)]),
  ];
}

/** The first start makes the installation and takes the services; keys follow while nothing runs. */
async function prepare(job: PeerJob, options: InstanceOptions): Promise<void> {
  const instance = await Instance.start(options);
  const admin = { port: instance.adminPort, token: options.token };
  await putService(admin, 'service', job.upstreamPort, '/bench/*');
  await putService(admin, 'hanging', job.hangingPort, '/hang/*');
  if (job.setup.tls) await putService(admin, 'grpc', job.grpcPort, '/grpc/*', 'grpc');
  if (job.setup.pluginVariants) await putVariants(admin, job);
  if (job.certificate !== undefined) await adminPut(admin, 'ssls/bench', { snis: [SERVER_NAME], ...job.certificate });
  await instance.stop();
  const fill = job.session.spawn(process.execPath, [FILL_PROGRAM, options.checkout, options.dataFolder, String(job.keys.count)], {
    cores: undefined,
  });
  const [code] = await once(fill, 'exit');
  if (code !== 0) throw new Error(`filling the store ended with code ${code}`);
}

/** Every variant has a service of its own, whose prefix the upstream does not see, and what its requests need besides. */
async function putVariants(admin: AdminAddress, { upstreamPort, session }: PeerJob): Promise<void> {
  const places = { collectorPort: upstreamPort, folder: session.makeFolder('written-by-plugins') };
  await adminPut(admin, 'plugin_metadata/opentelemetry', { collector: { address: `127.0.0.1:${upstreamPort}` } });
  await adminPut(admin, `consumers/${CALLER}`, { username: CALLER });
  for (const { name, plugins, credential } of PLUGIN_VARIANTS) {
    const id = `variant-${name}`;
    const upstream = { nodes: [{ host: '127.0.0.1', port: upstreamPort, weight: 1 }] };
    await adminPut(admin, `services/${id}`, { name: id, path_prefix: variantPrefix(name), strip_path_prefix: true, upstream });
    await adminPut(admin, `routes/${id}`, { name: id, paths: ['/*'], service_id: id, plugins: plugins(places) });
    if (credential !== undefined) await adminPut(admin, `consumers/${CALLER}/credentials/${name}`, { name, plugins: credential });
  }
}

async function putService(admin: AdminAddress, id: string, port: number, uri: string, scheme = 'http'): Promise<void> {
  await adminPut(admin, `services/${id}`, { name: id, upstream: { scheme, nodes: [{ host: '127.0.0.1', port, weight: 1 }] } });
  await adminPut(admin, `routes/${id}`, {
    name: id,
    paths: [uri],
    methods: ['GET', 'POST'],
    service_id: id,
    plugins: { 'key-auth': { header: 'apikey' } },
  });
}
