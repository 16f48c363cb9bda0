// What a call throws that was not carried out.

/** One problem of a request, by the path of its field. */
export interface Problem {
  field: string;
  message: string;
}

/** What the service said besides the status. */
export interface Refusal {
  /** Every problem of the request, or a sentence. */
  details?: Problem[] | string;
  /** Whole seconds until another try may succeed. */
  retryAfter?: number;
  /** Names the answer in the service's log; on 5xx alone. */
  requestId?: string;
  /** What kept the service from answering at all. */
  cause?: unknown;
}

/**
 * A call that was not carried out. `status` is that of the answer, or 0 where there was none; the
 * message says what was wrong, all of it.
 */
export class HarvestmanError extends Error {
  override readonly name = 'HarvestmanError';
  readonly status: number;
  readonly details: Problem[] | string | undefined;
  readonly retryAfter: number | undefined;
  readonly requestId: string | undefined;

  constructor(status: number, message: string, refusal: Refusal = {}) {
    super(message, refusal.cause === undefined ? undefined : { cause: refusal.cause });
    this.status = status;
    this.details = refusal.details;
    this.retryAfter = refusal.retryAfter;
    this.requestId = refusal.requestId;
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    if (this.status === 409) return this.retryAfter !== undefined; // an equal call is under way
    return this.status === 0 || this.status === 429 || this.status === 503;
  }
}

/** The error of an answer, in the shape of either face of the API. */
export function refused(status: number, body: unknown, header: string | null): HarvestmanError {
  const said = isObject(body) ? body : {};
  const v1 = said['success'] === false;
  const title = text(v1 ? said['message'] : said['error']) ?? `the service answered ${status}`;
  const details = problems(said['details']) ?? text(v1 ? said['error'] : said['details']);
  const sentence =
    typeof details === 'string' ? details : details?.map((it) => `${it.field}: ${it.message}`).join('; ');
  return new HarvestmanError(status, sentence ? `${title}: ${sentence}` : title, {
    details,
    retryAfter: seconds(said['retryAfter']) ?? seconds(header),
    requestId: text(said['requestId']),
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function problems(value: unknown): Problem[] | undefined {
  return Array.isArray(value) ? (value as Problem[]) : undefined;
}

/** The service says seconds, never a date. */
function seconds(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}
