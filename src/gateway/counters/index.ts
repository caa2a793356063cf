export type { CounterHandles } from './counter-region.ts';
export { CounterTables, type CounterTablesOptions, type CounterUsage } from './counter-tables.ts';
export { LocalCounters, type LocalCountersOptions } from './local-counters.ts';
export { type MachineTime, machineTime } from './machine-time.ts';
export { type CounterLease, ServerCounters, type ServerCountersOptions } from './redis/server-counters.ts';
