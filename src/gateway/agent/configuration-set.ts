import type { RouteSettings, ServiceSettings } from '../runtime/settings.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';
import { RouteNumbers } from './route-numbers.ts';

/** Changes that go to a worker in one message: small enough that neither side is busy with it for long. */
const CHANGES_PER_MESSAGE = 200;

/** The services and routes in force, as every worker that starts must get them. */
export class ConfigurationSet {
  readonly services = new Map<string, ServiceSettings>();
  readonly routes = new Map<string, RouteSettings>();
  readonly numbers = new RouteNumbers();

  /** Takes changes that the workers have taken. */
  apply(changes: readonly RuntimeChange[]): void {
    for (const change of changes) this.#applyOne(change);
  }

  /** Everything, as changes to an empty worker. May be read slowly: what changes meanwhile must be sent after it. */
  *parts(): Generator<readonly RuntimeChange[]> {
    let part: RuntimeChange[] = [];
    for (const change of this.#all()) {
      part.push(change);
      if (part.length < CHANGES_PER_MESSAGE) continue;
      yield part;
      part = [];
    }
    if (part.length > 0) yield part;
  }

  *#all(): Generator<RuntimeChange> {
    for (const [id, settings] of this.services) yield { op: 'put-service', id, settings };
    for (const [id, settings] of this.routes) yield { op: 'put-route', id, number: this.numbers.numberOf(id), settings };
  }

  #applyOne(change: RuntimeChange): void {
    switch (change.op) {
      case 'put-service':
        this.services.set(change.id, change.settings);
        return;
      case 'delete-service':
        this.services.delete(change.id);
        return;
      case 'put-route':
        this.routes.set(change.id, change.settings);
        return;
      case 'delete-route':
        this.routes.delete(change.id);
        this.numbers.forget(change.id);
    }
  }
}

/** Splits changes into messages. */
export function* inMessages(changes: readonly RuntimeChange[]): Generator<readonly RuntimeChange[]> {
  for (let start = 0; start < changes.length; start += CHANGES_PER_MESSAGE) yield changes.slice(start, start + CHANGES_PER_MESSAGE);
}
