import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PLUGIN_VARIANTS, type PluginVariant, variantPrefix } from '../plugins/plugin-variants.ts';
import { adminPut } from '../portcullis/admin-put.ts';
import { connectionLimitFlag } from '../portcullis/connection-limit-flag.ts';
import { Instance, type InstanceOptions } from '../portcullis/instance.ts';
import type { Peer, PeerJob } from './peer.ts';

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
      if (connectionLimit === undefined || connectionLimitFlag(checkout) !== undefined) return undefined;
      return 'this version has no setting for it';
    },
    async start(job) {
      const options = { session: job.session, checkout, dataFolder: job.folder, token: `a7ee-${randomBytes(24).toString('hex')}` };
      await prepare(job, { ...options, keyCount: 0, flags: ['--workers', '1'], nodeOptions: undefined });
      const instance = await Instance.start({ ...options, keyCount: job.keys.count, flags: flagsOf(job, checkout), nodeOptions });
      instance.pin(job.cores.gateway, job.cores.load);
      return {
        port: instance.httpPort,
        dataPlane: () => [instance.gateway],
        others: () => instance.others,
        stop: () => instance.stop(),
      };
    },
  };
}

function flagsOf({ setup }: PeerJob, checkout: string): readonly string[] {
  const limit = setup.connectionLimit === undefined ? undefined : connectionLimitFlag(checkout);
  return [
    '--workers',
    String(setup.workers),
    ...(setup.accessLog ? [] : ['--access-log', 'off']),
    ...(limit === undefined ? [] : [limit, String(setup.connectionLimit)]),
  ];
}

/** The first start makes the installation and takes the services; keys follow while nothing runs. */
async function prepare(job: PeerJob, options: InstanceOptions): Promise<void> {
  const instance = await Instance.start(options);
  const admin = { port: instance.adminPort, token: options.token };
  await putService(admin, 'service', job.upstreamPort, '/bench/*');
  await putService(admin, 'hanging', job.hangingPort, '/hang/*');
  if (job.setup.pluginVariants) for (const variant of PLUGIN_VARIANTS) await putVariant(admin, variant, job.upstreamPort);
  await instance.stop();
  const fill = job.session.spawn(process.execPath, [FILL_PROGRAM, options.checkout, options.dataFolder, String(job.keys.count)], {
    cores: undefined,
  });
  const [code] = await once(fill, 'exit');
  if (code !== 0) throw new Error(`filling the store ended with code ${code}`);
}

/** A service of its own, whose prefix the upstream does not see. */
async function putVariant(
  admin: { readonly port: number; readonly token: string },
  { name, plugins }: PluginVariant,
  port: number,
): Promise<void> {
  const id = `variant-${name}`;
  const upstream = { nodes: [{ host: '127.0.0.1', port, weight: 1 }] };
  await adminPut(admin, `services/${id}`, { name: id, path_prefix: variantPrefix(name), strip_path_prefix: true, upstream });
  const routePlugins = { 'key-auth': { header: 'apikey' }, ...plugins };
  await adminPut(admin, `routes/${id}`, { name: id, paths: ['/*'], service_id: id, plugins: routePlugins });
}

async function putService(admin: { readonly port: number; readonly token: string }, id: string, port: number, uri: string): Promise<void> {
  await adminPut(admin, `services/${id}`, { name: id, upstream: { nodes: [{ host: '127.0.0.1', port, weight: 1 }] } });
  await adminPut(admin, `routes/${id}`, {
    name: id,
    paths: [uri],
    methods: ['GET', 'POST'],
    service_id: id,
    plugins: { 'key-auth': { header: 'apikey' } },
  });
}
