import type { ResourceKey } from './store.ts';

/** Another resource of the group already holds the value. */
export class UniqueConflict extends Error {
  readonly space: string;
  readonly holder: ResourceKey;

  constructor(space: string, holder: ResourceKey) {
    super(`a value of ${space} is already in use`);
    this.name = 'UniqueConflict';
    this.space = space;
    this.holder = holder;
  }
}

/** Another resource of the group uses a name with another value. The cost of finding out does not grow with the number of holders. */
export class SharedConflict extends Error {
  readonly space: string;
  readonly holder: ResourceKey;

  constructor(space: string, holder: ResourceKey) {
    super(`a name of ${space} is used with another value`);
    this.name = 'SharedConflict';
    this.space = space;
    this.holder = holder;
  }
}

/** The resource is not at the expected revision. `current` is 0 when it does not exist. */
export class RevisionConflict extends Error {
  readonly current: number;

  constructor(current: number) {
    super(`the resource is at revision ${current}`);
    this.name = 'RevisionConflict';
    this.current = current;
  }
}

/** Whether a write was refused before it changed anything. */
export function isConflict(error: unknown): error is UniqueConflict | SharedConflict | RevisionConflict {
  return error instanceof UniqueConflict || error instanceof SharedConflict || error instanceof RevisionConflict;
}
