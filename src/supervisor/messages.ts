import type { JsonValue } from '../lib/json.ts';

/** How the process before this one ended. `killed`: by SIGKILL, the first time in a row; it says nothing about what the process did. */
export type ProcessEnd =
  | { readonly kind: 'none' }
  | { readonly kind: 'clean' }
  /** It has not ended: it serves until this one does, and is drained then. */
  | { readonly kind: 'replaced' }
  | { readonly kind: 'killed' }
  | { readonly kind: 'crashed' };

/** From the supervisor to a child. */
export type SupervisorMessage =
  /** `isAlone`: no other process of the role serves. */
  | { readonly kind: 'start'; readonly settings: JsonValue; readonly previousEnd: ProcessEnd; readonly isAlone: boolean }
  /** Every process of the role that this one has followed has ended. */
  | { readonly kind: 'alone' }
  /** The processes that serve beside this one have answered what it asked, or have ended. */
  | { readonly kind: 'former-answered'; readonly id: number }
  | { readonly kind: 'drain'; readonly delayMs: number; readonly timeoutMs: number }
  | { readonly kind: 'request'; readonly id: number; readonly name: string; readonly body: JsonValue };

/** From a child to the supervisor. */
export type ChildMessage =
  /** Serving; `body` is what the role wants to tell. */
  | { readonly kind: 'ready'; readonly body: JsonValue }
  /** Cannot start until a person changes something; the sentence is for that person. */
  | { readonly kind: 'start-failed'; readonly sentence: string }
  | { readonly kind: 'event'; readonly name: string; readonly body: JsonValue }
  | { readonly kind: 'response'; readonly id: number; readonly body: JsonValue }
  | { readonly kind: 'response-failed'; readonly id: number; readonly problem: string }
  /** A question to each process that still serves beside this one. */
  | { readonly kind: 'ask-former'; readonly id: number; readonly name: string; readonly body: JsonValue }
  /** Wants a fresh process in its place: it has used up what it inherited. */
  | { readonly kind: 'replace-me' };
