import { networkList } from '../../lib/network-list.ts';
import type { NetworkSet } from '../../lib/network-set.ts';
import { type ConnectionView, definePlugin, type PluginAnswer, refuse } from '../../plugin-kit/index.ts';
import { type IpRestrictionConfiguration, ipRestrictionSchema } from './schema.ts';

interface IpRestrictionState {
  readonly networks: NetworkSet;
  /** Whether those in the list pass, or all others. */
  readonly listedPass: boolean;
  readonly refusal: PluginAnswer;
}

/** Lets requests pass by the address of the client, which a trusted proxy in front may have named (real-ip). As APISIX's ip-restriction. */
export const ipRestriction = definePlugin<IpRestrictionConfiguration, IpRestrictionState>({
  ...ipRestrictionSchema,
  readsHeadLater: false,
  create: ({ whitelist, blacklist = [], message, response_code: status }) => {
    const networks = networkList(whitelist ?? blacklist);
    if (networks === undefined) throw new Error('the list of addresses is empty');
    return { networks, listedPass: whitelist !== undefined, refusal: refuse('address_forbidden', { status, message }) };
  },
  phases: { access: restrict, preread: restrict },
});

function restrict({ remoteAddress }: ConnectionView, { networks, listedPass, refusal }: IpRestrictionState): PluginAnswer | undefined {
  return networks.has(remoteAddress) === listedPass ? undefined : refusal;
}
