import { forEachSecretReference } from '../../plugin-kit/index.ts';
import { isJsonObject, type SnapshotItem } from '../../schema/index.ts';

const NONE: readonly string[] = [];
/** Kinds in which references may stand anywhere. */
const WHOLE_KINDS: ReadonlySet<SnapshotItem['kind']> = new Set<SnapshotItem['kind']>([
  'plugin_metadata',
  'ssl',
  'sni',
  'certificate',
  'ca_certificate',
]);

/** The secret references of an item, each once: those in plugins' configurations, in metadata, in certificates and in credentials. */
export function referencesOfItem(item: SnapshotItem): readonly string[] {
  // Of these there are millions.
  if (item.kind === 'credential' && item.references === undefined) return NONE;
  const found = new Set<string>();
  const add = (reference: string): unknown => found.add(reference);
  if (WHOLE_KINDS.has(item.kind)) forEachSecretReference(item.value, add);
  else if (item.kind !== 'secret_provider') collectFromPlugins(item, add);
  if (item.kind !== 'consumer' && item.kind !== 'credential') return [...found];
  for (const { unique, configuration } of item.references ?? []) {
    if ('reference' in unique) add(unique.reference);
    if (configuration !== undefined) forEachSecretReference(configuration, add);
  }
  return [...found];
}

function collectFromPlugins({ value }: SnapshotItem, add: (reference: string) => void): void {
  const plugins = Object.hasOwn(value, 'plugins') ? value.plugins : undefined;
  if (!isJsonObject(plugins)) return;
  for (const configuration of Object.values(plugins)) forEachSecretReference(configuration, add);
}
