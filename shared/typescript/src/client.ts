// The calls of the API, one method each, and what it takes several calls to do: waiting, and going
// through pages.

import { HarvestmanError } from './error.js';
import { pause } from './pause.js';
import { type Call, type CallOptions, type ClientOptions, Transport } from './transport.js';
import type {
  BatchOptions,
  CrawlOptions,
  CreatedBatch,
  CreatedJob,
  CreatedSchedule,
  Delivery,
  DeliveryOptions,
  Job,
  JobFilter,
  JobList,
  JobOptions,
  JobSummary,
  JobType,
  ListOptions,
  Page,
  RecurringOptions,
  RefreshOptions,
  ResultOptions,
  Schedule,
  ScheduleChange,
  ScheduledRun,
  ScheduleFilter,
  ScheduleList,
  ScheduleListOptions,
  ScheduleMoved,
  ScheduleRun,
  ScheduleSummary,
  WaitOptions,
  Webhook,
  WebhookChange,
  WebhookFilter,
  WebhookOptions,
} from './types.js';

const FINAL = new Set(['completed', 'failed', 'cancelled']);

/** Whether nothing will happen to the job any more. */
export function hasEnded(job: Pick<JobSummary, 'status'>): boolean {
  return FINAL.has(job.status);
}

/** A job that ended without a result, where `throwOnFailure` asked for an error. */
export class JobEndedError extends Error {
  override readonly name = 'JobEndedError';
  readonly job: Job;

  constructor(job: Job) {
    super(`${job.id} ended as ${job.status}${job.failedReason ? `: ${job.failedReason}` : ''}`);
    this.job = job;
  }
}

/** A client of one service. */
export class Harvestman {
  readonly #transport: Transport;

  constructor(options: ClientOptions = {}) {
    this.#transport = new Transport(options);
  }

  /** Scrape one page. */
  createSinglePageJob(url: string, options: JobOptions = {}): Promise<CreatedJob> {
    return this.#create({ type: 'single-page', url }, options);
  }

  /** Scrape several pages, one job each; at most 100. */
  createBatchJobs(urls: string[], type: JobType, options: BatchOptions = {}): Promise<CreatedBatch> {
    return this.#create({ type, urls }, options);
  }

  /** Scrape a site from a page on; `results` reads its pages while it runs. */
  createFullCrawlJob(url: string, options: CrawlOptions = {}): Promise<CreatedJob> {
    return this.#create({ type: 'full-crawl', url }, options);
  }

  /** Scrape again what was scraped before, an address or a job, fetching only what may have changed. */
  createRefreshJob(what: string | { jobId: string }, options: RefreshOptions = {}): Promise<CreatedJob> {
    const of = typeof what === 'string' ? { url: what } : { jobId: what.jobId };
    return this.#create({ type: 'refresh', ...of }, options);
  }

  /** Create a job whenever a pattern of cron says; five fields. It is no job itself: `scheduleRuns` names those. */
  createRecurringJob(
    url: string,
    type: JobType,
    cronPattern: string,
    options: RecurringOptions = {},
  ): Promise<CreatedSchedule> {
    return this.#create({ type, url, cronPattern }, options);
  }

  async #create<T>(what: object, options: JobOptions): Promise<T> {
    const { signal, idempotencyKey, ...rest } = options;
    const call: Call = {
      method: 'POST',
      body: { ...what, ...rest },
      idempotencyKey,
      // A second one finds the job of the first.
      repeatable: options.deduplicate !== false && !('cronPattern' in what),
    };
    return (await this.#transport.call('/api/jobs', withSignal(call, signal))).body as T;
  }

  /** Read one job. */
  async getJob(id: string, options: CallOptions = {}): Promise<Job> {
    return (await this.#read(jobPath(id), options)) as Job;
  }

  /**
   * Waits until the job has ended, however it ended, and gives the job: look at its `status`.
   * Looks again after ever longer pauses, and costs next to nothing where nothing has changed.
   */
  async waitForJob(id: string, options: WaitOptions = {}): Promise<Job> {
    const signal = either(options.signal, options.timeout);
    const first = options.pauses?.first ?? 250;
    const longest = options.pauses?.longest ?? 10_000;
    let wait = first;
    let seen: string | undefined;
    for (;;) {
      const answer = await this.#transport.call(jobPath(id), withSignal({ seen, repeatable: true }, signal));
      if (answer.status === 304) {
        wait = Math.min(wait * 1.5, longest);
      } else {
        const job = answer.body as Job;
        seen = answer.etag;
        wait = first;
        options.onProgress?.(job);
        if (hasEnded(job)) {
          if (options.throwOnFailure && job.status !== 'completed') throw new JobEndedError(job);
          return job;
        }
      }
      await pause(wait, signal);
    }
  }

  /** One page of jobs, newest first, with counts and health where they are asked for. */
  async getJobs(options: ListOptions = {}): Promise<JobList> {
    const { signal, cursor, ...query } = options;
    const call = { signal, query: { ...query, cursor: cursor ?? undefined } };
    return (await this.#read('/api/jobs', call)) as JobList;
  }

  /** Every job that the filter lets through, newest first, read page by page as they are asked for. */
  async *listJobs(filter: JobFilter = {}): AsyncGenerator<JobSummary, void, undefined> {
    let cursor: string | null | undefined;
    do {
      const page: JobList = await this.getJobs({ limit: 100, ...filter, cursor: cursor ?? null, includeStats: false });
      yield* page.jobs;
      cursor = page.nextCursor;
    } while (cursor);
  }

  /** Every page that the job has fetched, read as they are asked for. */
  async *results(id: string, options: ResultOptions = {}): AsyncGenerator<Page, void, undefined> {
    const { signal, limit } = options;
    let cursor: string | null | undefined;
    do {
      const call = { signal, query: { limit, cursor: cursor ?? undefined } };
      const answer = await this.#read(`${jobPath(id)}/results`, call);
      const page = answer as { results: Page[]; nextCursor: string | null };
      yield* page.results;
      cursor = page.nextCursor;
    } while (cursor);
  }

  /** Deliver events of a customer to an address; the answer has the `secret`, once. */
  createWebhook(url: string, options: WebhookOptions = {}): Promise<Webhook> {
    const { signal, ...rest } = options;
    return this.#change('/api/webhooks', 'POST', { url, ...rest }, signal);
  }

  /** Read one webhook, without its secret. */
  async getWebhook(id: string, options: CallOptions = {}): Promise<Webhook> {
    return (await this.#read(webhookPath(id), options)) as Webhook;
  }

  /** Every webhook that the filter lets through, newest first. */
  async *listWebhooks(filter: WebhookFilter = {}): AsyncGenerator<Webhook, void, undefined> {
    const { signal, ...query } = filter;
    let cursor: string | null | undefined;
    do {
      const call = { signal, query: { ...query, cursor: cursor ?? undefined } };
      const page = (await this.#read('/api/webhooks', call)) as { webhooks: Webhook[]; nextCursor: string | null };
      yield* page.webhooks;
      cursor = page.nextCursor;
    } while (cursor);
  }

  /** One page of schedules, newest first. */
  async getSchedules(options: ScheduleListOptions = {}): Promise<ScheduleList> {
    const { signal, cursor, ...query } = options;
    const call = withSignal({ query: { ...query, cursor: cursor ?? undefined } }, signal);
    return (await this.#read('/api/schedules', call)) as ScheduleList;
  }

  /** Every schedule that the filter lets through, newest first, read page by page as they are asked for. */
  async *listSchedules(filter: ScheduleFilter = {}): AsyncGenerator<ScheduleSummary, void, undefined> {
    let cursor: string | null | undefined;
    do {
      const page: ScheduleList = await this.getSchedules({ limit: 100, ...filter, cursor: cursor ?? null });
      yield* page.schedules;
      cursor = page.nextCursor;
    } while (cursor);
  }

  /** Change the address or the types of a webhook, or enable or disable it. */
  changeWebhook(id: string, change: WebhookChange, options: CallOptions = {}): Promise<Webhook> {
    return this.#change(webhookPath(id), 'PATCH', change, options.signal);
  }

  /** Give a webhook another secret; for a day both sign. */
  rotateWebhook(id: string, options: CallOptions = {}): Promise<Webhook> {
    return this.#change(`${webhookPath(id)}/rotate`, 'POST', undefined, options.signal);
  }

  /** Delete a webhook; what is still to be delivered to it is not. */
  deleteWebhook(id: string, options: CallOptions = {}): Promise<Webhook> {
    return this.#change(webhookPath(id), 'DELETE', undefined, options.signal);
  }

  /** Every delivery to a webhook, or to the own webhook of a job, newest first, by its id. */
  async *listDeliveries(id: string, options: DeliveryOptions = {}): AsyncGenerator<Delivery, void, undefined> {
    const { signal, limit } = options;
    let cursor: string | null | undefined;
    do {
      const call = { signal, query: { limit, cursor: cursor ?? undefined } };
      const answer = await this.#read(`${receiverPath(id)}/deliveries`, call);
      const page = answer as { deliveries: Delivery[]; nextCursor: string | null };
      yield* page.deliveries;
      cursor = page.nextCursor;
    } while (cursor);
  }

  /** Deliver again, by the id of the webhook or job and that of the delivery. */
  redeliver(id: string, deliveryId: string, options: CallOptions = {}): Promise<Delivery> {
    const path = `${receiverPath(id)}/deliveries/${encodeURIComponent(deliveryId)}/redeliver`;
    return this.#change(path, 'POST', undefined, options.signal);
  }

  async #change<T>(path: string, method: string, body: object | undefined, signal?: AbortSignal): Promise<T> {
    const call: Call = { method, body, idempotencyKey: false, repeatable: false };
    return (await this.#transport.call(path, withSignal(call, signal))).body as T;
  }

  /** Read one schedule, with its next five runs. */
  async getSchedule(id: string, options: CallOptions = {}): Promise<Schedule> {
    return (await this.#read(schedulePath(id), options)) as Schedule;
  }

  /** Give a schedule other fields; `null` takes one back. */
  async changeSchedule(id: string, change: ScheduleChange, options: CallOptions = {}): Promise<Schedule> {
    return (await this.#schedule(id, 'PATCH', change, options)) as Schedule;
  }

  /** Let nothing fire until the schedule is resumed. */
  async pauseSchedule(id: string, options: CallOptions = {}): Promise<ScheduleMoved> {
    return (await this.#schedule(id, 'PUT', { action: 'pause' }, options)) as ScheduleMoved;
  }

  /** Let a paused schedule fire again, from now on. */
  async resumeSchedule(id: string, options: CallOptions = {}): Promise<ScheduleMoved> {
    return (await this.#schedule(id, 'PUT', { action: 'resume' }, options)) as ScheduleMoved;
  }

  /** End a schedule for good; its jobs stay. */
  async deleteSchedule(id: string, options: CallOptions = {}): Promise<ScheduleMoved> {
    const call: Call = { method: 'DELETE' };
    return (await this.#transport.call(schedulePath(id), withSignal(call, options.signal))).body as ScheduleMoved;
  }

  /** Make a run of a schedule now, whatever its plan says. */
  async runSchedule(id: string, options: CallOptions = {}): Promise<ScheduleRun> {
    // Two are two runs: it is not asked for again where nobody knows what became of the first.
    const call: Call = { method: 'POST', idempotencyKey: false };
    return (await this.#transport.call(`${schedulePath(id)}/run`, withSignal(call, options.signal))).body as ScheduleRun;
  }

  /** What became of the last hundred firings, the latest first. */
  async scheduleRuns(id: string, options: CallOptions = {}): Promise<ScheduledRun[]> {
    const answer = await this.#read(`${schedulePath(id)}/runs`, options);
    return (answer as { runs: ScheduledRun[] }).runs;
  }

  async #schedule(id: string, method: string, body: object, { signal }: CallOptions): Promise<unknown> {
    // Twice is as good as once.
    const call: Call = { method, body, repeatable: true };
    return (await this.#transport.call(schedulePath(id), withSignal(call, signal))).body;
  }

  async #read(path: string, call: Call): Promise<unknown> {
    return (await this.#transport.call(path, { ...call, repeatable: true })).body;
  }
}

function jobPath(id: string): string {
  if (id === '') throw new HarvestmanError(0, 'an id is needed');
  return `/api/jobs/${encodeURIComponent(id)}`;
}

function webhookPath(id: string): string {
  if (id === '') throw new HarvestmanError(0, 'an id is needed');
  return `/api/webhooks/${encodeURIComponent(id)}`;
}

/** A job may name a webhook itself. */
function receiverPath(id: string): string {
  return id.startsWith('job_') ? jobPath(id) : webhookPath(id);
}

function schedulePath(id: string): string {
  if (id === '') throw new HarvestmanError(0, 'an id is needed');
  return `/api/schedules/${encodeURIComponent(id)}`;
}

function withSignal(call: Call, signal: AbortSignal | undefined): Call {
  return signal ? { ...call, signal } : call;
}

function either(signal: AbortSignal | undefined, timeout: number | undefined): AbortSignal | undefined {
  if (timeout === undefined) return signal;
  const ended = AbortSignal.timeout(timeout);
  return signal ? AbortSignal.any([signal, ended]) : ended;
}
