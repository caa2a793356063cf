import type { JsonValue } from '../../lib/json.ts';
import type { Target } from '../access/index.ts';
import type { Caller } from '../auth/index.ts';

/** An action as API7's permission policies name them. */
export type Action = `gateway:${string}` | `iam:${string}`;

/** What a caller needs: an action, or nothing but to be somebody (`signed-in`), or nothing at all (`public`). */
export type RoutePermission = 'public' | 'signed-in' | Action;

/** What the action of a route is done to. */
export type RouteResource =
  /** The thing that the request names. */
  | { readonly kind: 'target'; of(request: ApiRequest): Target }
  /** Some of what a pattern stands for is enough to come in; the handler leaves out what `mayDo` declines. */
  | { readonly kind: 'some'; of(request: ApiRequest): string }
  /** Only the handler can tell, because it depends on what is stored; it must call `permit` or `permitSome`. */
  | { readonly kind: 'handler' };

/** A request of the Admin API as its operations see it. */
export interface ApiRequest {
  readonly method: string;
  /** Path parameters, percent-decoded once. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly query: URLSearchParams;
  /** The value of a header by its lower-case name; repeated ones are joined by commas. */
  header(lowerCaseName: string): string | undefined;
  /** The parsed body. @throws PortcullisError `admin_bad_json` */
  body(): JsonValue;
  /** The body as it came; empty where there is none. */
  bytes(): Uint8Array;
  /** Who calls; undefined on public routes only. */
  readonly caller: Caller | undefined;
  /** The client's address, IPv4-mapped ones as IPv4. */
  readonly address: string;
  /** Ours, unique; the answer's header `Portcullis-Request-Id`, the log and the audit log have it. */
  readonly id: string;
  /** @throws PortcullisError 403 unless the caller may do this to the target */
  permit(action: Action, target: Target): void;
  /** @throws PortcullisError 403 unless there may be something among what the pattern stands for to which the caller may do this */
  permitSome(action: Action, pattern: string): void;
  /** Whether the caller may do this to the target. */
  mayDo(action: Action, target: Target): boolean;
}

/** What an operation answers; errors are thrown as `PortcullisError`. */
export interface ApiAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Sent as JSON; undefined for an answer without a body. */
  readonly body: JsonValue | undefined;
  /** Sent as it is in place of a body. */
  readonly text?: { readonly contentType: string; readonly content: string };
  /** Sent in place of a body, piece by piece as the client takes it. What it throws cuts the connection, so that no client takes a part for all. */
  readonly stream?: { readonly contentType: string; readonly pieces: AsyncIterable<string> };
}

/** One operation of the Admin API. */
export interface ApiRoute {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** `:name` stands for one path segment. */
  readonly path: string;
  /** What a caller must be allowed to do. There is no default: a route without it is refused when the server starts. */
  readonly permission: RoutePermission;
  /** What it is done to; by default what `defaultTarget` reads from the path: one thing, or all of its kind. */
  readonly resource?: RouteResource;
  /** Also for a user who has yet to change a first password. */
  readonly beforePasswordChange?: true;
  /** True where the operation keeps to one gateway group by itself (`gatewayGroupOf`), so that the admin key of a group may call it. */
  readonly groupScoped?: boolean;
  /** Heeds `isTrial`. Any other change that is asked for as a trial is refused. */
  readonly canBeTried?: true;
  /** How large a body may be, where it may be larger than others. Of public routes it is small. */
  readonly maxBodyBytes?: number;
  handle(request: ApiRequest): Promise<ApiAnswer>;
}
