import path from 'node:path';
import { Worker } from 'node:worker_threads';

/** Most memory of a worker's heap; beyond it the thread is ended and replaced, and the others go on. */
const MAX_HEAP_MB = 512;

/** A thread that loads a worker's program and waits to be told what to be. */
export function launchThread(): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`../worker/worker-thread.${extension}`, import.meta.url), {
    name: 'worker',
    env: environmentOfWorkers(),
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
}

/**
 * Workers change their modules while they load them (own-bindings.ts). In one cache of compiled code with this thread, which has the same modules as they
 * are, each would take the place of what the other has kept: a worker that took 0.5 s to load took 1.5 s.
 */
function environmentOfWorkers(): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: folder } = process.env;
  return folder === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: path.join(folder, 'workers') };
}

/** Threads that were launched before anybody knew what for: loading is most of what the start of a worker takes. */
export class PreparedThreads {
  readonly #threads = new Set<Worker>();

  constructor(count: number) {
    for (let index = 0; index < count; index++) {
      const thread = launchThread();
      this.#threads.add(thread);
      thread.once('exit', () => this.#threads.delete(thread));
    }
  }

  /** One of them, or, when none is left, one that still has to load. */
  take(): Worker {
    const [thread] = this.#threads;
    if (thread === undefined) return launchThread();
    this.#threads.delete(thread);
    return thread;
  }
}
