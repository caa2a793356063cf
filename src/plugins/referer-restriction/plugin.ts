import { definePlugin, type PluginAnswer, refuse } from '../../plugin-kit/index.ts';
import { HostList } from './host-list.ts';
import { refererHost } from './referer-host.ts';
import { type RefererRestrictionConfiguration, refererRestrictionSchema } from './schema.ts';

interface RefererRestrictionState {
  readonly hosts: HostList;
  /** Whether those in the list pass, or all others. */
  readonly listedPass: boolean;
  readonly bypassMissing: boolean;
  readonly refusal: PluginAnswer;
}

/** Lets requests pass by the host of the page that refers here. As APISIX's referer-restriction. */
export const refererRestriction = definePlugin<RefererRestrictionConfiguration, RefererRestrictionState>({
  ...refererRestrictionSchema,
  readsHeadLater: false,
  create: ({ whitelist, blacklist = [], bypass_missing: bypassMissing, message }) => ({
    hosts: new HostList(whitelist ?? blacklist),
    listedPass: whitelist !== undefined,
    bypassMissing,
    refusal: refuse('referer_forbidden', { message }),
  }),
  phases: {
    access: (request, { hosts, listedPass, bypassMissing, refusal }) => {
      const referer = request.header('referer');
      const host = referer === undefined ? undefined : refererHost(referer);
      if (host === undefined) return bypassMissing ? undefined : refusal;
      return hosts.has(host) === listedPass ? undefined : refusal;
    },
  },
});
