/** Stands in no id. */
const SEPARATOR = '/';

/** One text for the upstream of a service: its id is its own only within the service. */
export function upstreamKey(serviceId: string, id: string): string {
  return `${serviceId}${SEPARATOR}${id}`;
}

/** The ids in what `upstreamKey` gave. */
export function namesOfUpstreamKey(key: string): { readonly serviceId: string; readonly id: string } {
  const [serviceId = '', id = ''] = key.split(SEPARATOR);
  return { serviceId, id };
}
