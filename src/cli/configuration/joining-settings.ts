import type { Setting } from './setting.ts';

/** By what gateways that run alone and control planes find each other. */
export const JOINING_SETTINGS = [
  {
    name: 'join-token-file',
    type: 'path',
    defaultText: undefined,
    meaning: 'File with the join token of a gateway that has no identity yet',
    verbs: ['gateway'],
  },
  {
    name: 'gateway-urls',
    type: 'control-planes',
    defaultText: 'https://<host name>:<sync-port>',
    meaning:
      'Where gateways reach control planes, as `--control-plane` names them: for the commands that make new gateways, and the hosts are in the certificate',
    verbs: ['start', 'control-plane'],
  },
] as const satisfies readonly Setting[];
