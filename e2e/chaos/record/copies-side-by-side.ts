/**
 * How many processes with one scenario do its rounds side by side, each with servers of its own, where not one alone. Most of a round is spent waiting: for the
 * ten seconds of a probation, a lease, a fault that lasts. The numbers leave two cores no busier than one round of a scenario that does not wait
 * makes them, so that times which are held against a limit mean the same. What is measured (`revocation-delay`, `lost-control-plane`, `cut-off-control-plane`) runs alone, and
 * so does what fills the machine (`constant-change`, `many-instances`).
 */
const COPIES: ReadonlyMap<string, number> = new Map([
  ['clock-jumps', 3],
  ['clock-jumps-of-expiring-keys', 2],
  ['control-plane-away', 2],
  ['crashing-revision', 3],
  ['full-disk', 2],
  ['full-disk-control-plane', 2],
  ['full-disk-restart', 2],
  ['kill-anything-postgres', 2],
  ['kill-anything-sqlite', 2],
  ['killed-supervisor', 2],
  ['lost-database', 3],
  ['network-between-planes', 4],
  ['rolling-restart', 2],
  ['two-control-planes', 2],
]);

/** Of a scenario. */
export function copiesSideBySide(scenario: string): number {
  return COPIES.get(scenario) ?? 1;
}
