import { definePlugin, type PluginAnswer, type RequestView, refuse } from '../../plugin-kit/index.ts';
import { type ConsumerRestrictionConfiguration, consumerRestrictionSchema, type RestrictedValue } from './schema.ts';

interface ConsumerRestrictionState {
  readonly type: RestrictedValue;
  readonly blacklist: ReadonlySet<string>;
  readonly whitelist: ReadonlySet<string> | undefined;
  /** Who is not among the keys may use every method. */
  readonly methodsByUser: ReadonlyMap<string, ReadonlySet<string>>;
  readonly missing: PluginAnswer;
  readonly forbidden: PluginAnswer;
}

/** Lets requests pass by their consumer, or by their route or service. As APISIX's consumer-restriction. */
export const consumerRestriction = definePlugin<ConsumerRestrictionConfiguration, ConsumerRestrictionState>({
  ...consumerRestrictionSchema,
  readsHeadLater: false,
  create: (configuration) => {
    const { type, whitelist, blacklist, rejected_code: status, rejected_msg: message = `The ${type} is forbidden.` } = configuration;
    return {
      type,
      blacklist: new Set(blacklist),
      whitelist: whitelist && new Set(whitelist),
      methodsByUser: methodsByUser(configuration),
      missing: refuse('consumer_required', { message: `The request is rejected, please check the ${type} for this request` }),
      forbidden: refuse('consumer_forbidden', { status, message }),
    };
  },
  phases: {
    access: (request, state) => {
      const value = restrictedValue(request, state.type);
      if (value === undefined || value === '') return state.missing;
      return mayPass(request, state, value) ? undefined : state.forbidden;
    },
  },
});

/** The blacklist comes first; who is in the whitelist is free to use every method. */
function mayPass({ method }: RequestView, { blacklist, whitelist, methodsByUser }: ConsumerRestrictionState, value: string): boolean {
  if (blacklist.has(value)) return false;
  if (whitelist !== undefined) return whitelist.has(value);
  return methodsByUser.get(value)?.has(method) ?? true;
}

function restrictedValue(request: RequestView, type: RestrictedValue): string | undefined {
  switch (type) {
    case 'consumer_name':
      return request.consumer?.username;
    case 'service_id':
      return request.route?.serviceId;
    case 'route_id':
      return request.route?.id;
    case 'consumer_group_id': {
      const group = request.variable('consumer_group_id');
      return typeof group === 'string' ? group : undefined;
    }
  }
}

/** Of several entries for one user the first counts. */
function methodsByUser({ allowed_by_methods: entries = [] }: ConsumerRestrictionConfiguration): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, ReadonlySet<string>>();
  for (const { user, methods } of entries) {
    if (user !== undefined && !found.has(user)) found.set(user, new Set(methods));
  }
  return found;
}
