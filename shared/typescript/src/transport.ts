// One HTTP call: joined address, key, JSON both ways, and another try where that can help and does
// no harm. Refuses to know what is asked for.

import { HarvestmanError, refused } from './error.js';
import { pause } from './pause.js';

/** Whether creates carry an `Idempotency-Key` of their own, so that no try makes a second job. */
const KEYS_OF_OUR_OWN = true;

const MOST_TRIES = 5;
const FIRST_PAUSE = 200; // milliseconds; doubled after each try
const LONGEST_PAUSE = 60_000;

export interface ClientOptions {
  /** Where the service answers; `http://127.0.0.1:3000` unless told. */
  baseUrl?: string;
  /** Sent as `Authorization: Bearer KEY`. */
  apiKey?: string;
  /** Used instead of the global `fetch`. */
  fetch?: typeof fetch;
  /** Most tries of one call, the first included; 5 unless told. */
  tries?: number;
}

export interface CallOptions {
  /** Ends the call, and whatever it waits for. */
  signal?: AbortSignal;
}

export interface Call extends CallOptions {
  method?: string;
  query?: Record<string, unknown>;
  body?: unknown;
  /** The `ETag` of an answer that is at hand. */
  seen?: string | undefined;
  /** `undefined`: one is made where the service takes it; `false`: none. */
  idempotencyKey?: string | false | undefined;
  /** Whether the call may be made twice although nobody knows what became of the first. */
  repeatable?: boolean;
}

export interface Answer {
  status: number;
  /** `undefined` on 304. */
  body: unknown;
  etag: string | undefined;
}

export class Transport {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #fetch: typeof fetch;
  readonly #tries: number;

  constructor(options: ClientOptions) {
    const base = options.baseUrl ?? 'http://127.0.0.1:3000';
    if (!/^https?:\/\//i.test(base)) {
      throw new TypeError(`baseUrl must start with http:// or https://, not be ${base}`);
    }
    this.#base = base.replace(/\/+$/, '');
    this.#headers = { accept: 'application/json' };
    if (options.apiKey) {
      this.#headers['authorization'] = `Bearer ${options.apiKey}`;
    }
    this.#fetch = options.fetch ?? ((...call) => fetch(...call));
    this.#tries = options.tries ?? MOST_TRIES;
  }

  /** The answer where it is a good one, else `HarvestmanError`; the signal's reason where it ended the call. */
  async call(path: string, call: Call = {}): Promise<Answer> {
    const key = keyOf(call);
    for (let number = 1; ; number += 1) {
      try {
        return await this.#once(path, call, key);
      } catch (error) {
        call.signal?.throwIfAborted();
        const again = error instanceof HarvestmanError && error.retryable;
        // No answer says nothing about what was done.
        const harmless = error instanceof HarvestmanError && (error.status !== 0 || call.repeatable || key);
        const wait = Math.max(
          ((error as HarvestmanError).retryAfter ?? 0) * 1000,
          FIRST_PAUSE * 2 ** (number - 1) * (0.5 + Math.random()),
        );
        if (!again || !harmless || number >= this.#tries || wait > LONGEST_PAUSE) {
          throw error;
        }
        await pause(wait, call.signal);
      }
    }
  }

  async #once(path: string, call: Call, key: string | undefined): Promise<Answer> {
    const headers = { ...this.#headers };
    if (call.body !== undefined) headers['content-type'] = 'application/json';
    if (call.seen) headers['if-none-match'] = call.seen;
    if (key) headers['idempotency-key'] = key;
    let response: Response;
    let text: string;
    try {
      response = await this.#fetch(this.#base + path + search(call.query), {
        method: call.method ?? 'GET',
        headers,
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal: call.signal ?? null,
        cache: 'no-store', // a browser must not answer for the service
      });
      text = await response.text();
    } catch (cause) {
      throw new HarvestmanError(0, `${this.#base} cannot be reached`, { cause });
    }
    const good = response.ok || response.status === 304;
    const body = parsed(text);
    if (!good || (body === undefined && response.status !== 304)) {
      throw refused(response.status, body, response.headers.get('retry-after'));
    }
    return { status: response.status, body, etag: response.headers.get('etag') ?? undefined };
  }
}

function keyOf(call: Call): string | undefined {
  if (call.method !== 'POST' || call.idempotencyKey === false) return undefined;
  return call.idempotencyKey ?? (KEYS_OF_OUR_OWN ? crypto.randomUUID() : undefined);
}

/** `?a=1&b=2`; what is undefined is left out, and lists are joined by commas. */
function search(query: Record<string, unknown> = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const parameters = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]));
  return pairs.length > 0 ? `?${parameters}` : '';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
