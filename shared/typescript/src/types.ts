// The shapes that go in and come out: answers as the OpenAPI document has them, options as they read
// best.

import type { components } from './schema.js';
import type { CallOptions } from './transport.js';

type Schemas = components['schemas'];

/** The answer to a create. */
export type CreatedJob = Schemas['CreatedView'];
/** A job in full. */
export type Job = Schemas['JobView'];
/** A job in a list. */
export type JobSummary = Schemas['JobSummary'];
/** A page of jobs, with counts and health where they were asked for. */
export type JobList = Schemas['ListView'];
/** One scraped page; `change` says of a refresh what has become of it. */
export type Page = Schemas['PageResult'];
/** How many addresses of a crawl stand where. */
export type Counters = Schemas['CountersView'];
/** Where a job stands. */
export type JobStatus = Schemas['Status'];
/** Which fields to read from a page, and how. */
export type ExtractionConfig = Schemas['Config'];

/** What an event is about. */
export type EventType = Schemas['EventWord'];
/** Where events of a customer are delivered to; `secret` is there after `createWebhook` and `rotateWebhook`. */
export type Webhook = Schemas['WebhookView'];
/** An event's delivery to one webhook, with its attempts. */
export type Delivery = Schemas['DeliveryView'];

export type JobType = 'single-page' | 'full-crawl' | 'refresh' | 'navigate' | 'generate-config';

/** How soon a job is worked on; `CRITICAL` is soonest. */
export const JobPriority = {
  LOW: 'low',
  NORMAL: 'normal',
  HIGH: 'high',
  URGENT: 'urgent',
  CRITICAL: 'critical',
} as const;
export type JobPriority = (typeof JobPriority)[keyof typeof JobPriority];

/** What every kind of job takes. */
export interface JobOptions extends CallOptions {
  /** Whose job it is; `default` unless told. */
  customerId?: string;
  /** Lifts an unstated or normal priority to high. */
  isNewCustomer?: boolean;
  priority?: JobPriority | 1 | 3 | 5 | 7 | 9;
  /** Milliseconds before the job may start. */
  delay?: number;
  /** Anything of yours, at most 16 KB as JSON; given back with the job. */
  metadata?: Record<string, unknown>;
  config?: ExtractionConfig;
  /** Most attempts at the work, 1 to 10; 3 unless told. */
  attempts?: number;
  /** The job's own working time in milliseconds. */
  timeout?: number;
  /** Whether an equal unfinished job is answered with instead of making another; true unless told. */
  deduplicate?: boolean;
  /** Jobs that ended less than this many milliseconds ago count as equal too. */
  deduplicateFor?: number;
  /** Sent with the request for the page. */
  headers?: Record<string, string>;
  userAgent?: string;
  /** Who is told of what happens to this job; the answer has the `webhookSecret`. */
  webhook?: { url: string; events?: EventType[] };
  /** Sent as `Idempotency-Key`; `false` sends none. */
  idempotencyKey?: string | false;
}

/** A `timeout` is over all of the crawl: a day at most, and unless told. */
export interface CrawlOptions extends JobOptions {
  /** 1 to 100000; 100 unless told. */
  maxPages?: number;
  /** Links away from the start, 0 to 100; 3 unless told. */
  depth?: number;
  /** The whole registrable domain instead of the one host; false unless told. */
  includeSubdomains?: boolean;
  /** Only addresses that match one of these: globs such as `/shop/*`, or `re:` and a regular expression. */
  include?: string[];
  exclude?: string[];
  /** Addresses from sitemaps and links, from links alone, or from sitemaps alone; `include` unless told. */
  sitemap?: Schemas['Sitemap'];
  /** True unless told. */
  respectRobots?: boolean;
  /** Most requests at once, 1 to 64; 8 unless told. */
  maxConcurrency?: number;
  /** Milliseconds between requests to a host. */
  requestDelay?: number;
  /** All but `html` unless told. */
  formats?: Schemas['PageFormat'][];
}

/** A `timeout` is over all of the refresh: a day at most, and unless told. */
export interface RefreshOptions extends JobOptions {
  /** In ISO 8601 or epoch milliseconds: pages that were seen later are left alone. */
  lastCrawledAt?: string | number | Date;
  /** Fetch also what was seen a moment ago. */
  forceRefresh?: boolean;
  /** Crawl the site anew instead of the pages that are known. */
  fullRefresh?: boolean;
}

export interface BatchOptions extends JobOptions {
  /** Milliseconds between the starts of two of them; 1000 is kind to a site. */
  staggerDelay?: number;
}

/** Each run starts at its own time and makes a job of its own. */
export interface RecurringOptions
  extends Omit<CrawlOptions & RefreshOptions, 'delay' | 'deduplicate' | 'deduplicateFor'> {
  /** An IANA name such as `Europe/Berlin`; UTC unless told. */
  timezone?: string;
  /** In ISO 8601 or epoch milliseconds, the first and the last instant at which it may fire. */
  startDate?: string | number | Date;
  endDate?: string | number | Date;
  /** Most runs. */
  limit?: number;
  name?: string;
  /** What to do where the run before has not ended. */
  overlap?: 'skip' | 'queue' | 'cancel-previous';
}

/** The answer to a batch. */
export interface CreatedBatch {
  success: boolean;
  message: string;
  results: {
    total: number;
    successful: number;
    deduplicated: number;
    jobs: { jobId: string; url: string; deduplicated: boolean }[];
  };
  /** What deliveries to `webhook` are verified with. */
  webhookSecret?: string;
  timestamp: string;
}

/** The answer to a recurring job. */
export type CreatedSchedule = Schemas['RecurringView'];
/** A schedule in full. */
export type Schedule = Schemas['ScheduleView'];
/** A schedule in a list. */
export type ScheduleSummary = Schemas['ScheduleSummary'];
/** A page of schedules. */
export type ScheduleList = Schemas['SchedulesView'];
/** The answer to a pause, a resumption or the end of a schedule. */
export type ScheduleMoved = Schemas['MovedView'];
/** The answer to a run that was asked for. */
export type ScheduleRun = Schemas['RunBegunView'];
/** What became of one firing of a schedule. */
export type ScheduledRun = Schemas['RunView'];

/** What of a schedule is to be another; `null` takes back what was said before. */
export type ScheduleChange = {
  [Field in keyof Omit<RecurringOptions, 'signal' | 'idempotencyKey' | 'customerId'>]?: RecurringOptions[Field] | null;
} & { url?: string; type?: JobType; cronPattern?: string };

/** Which schedules to list; filters compose. */
export interface ScheduleFilter extends CallOptions {
  customerId?: string;
  status?: Schemas['ScheduleStatus'];
  /** Schedules of one page, 1 to 100. */
  limit?: number;
}

export interface ScheduleListOptions extends ScheduleFilter {
  /** `nextCursor` of the page before. */
  cursor?: string | null;
}

/** Which jobs to list; filters compose. */
export interface JobFilter extends CallOptions {
  customerId?: string;
  status?: JobStatus | JobStatus[];
  /** A part of the address. */
  url?: string;
  type?: JobType;
  /** Jobs of one page, 1 to 100. */
  limit?: number;
}

export interface ListOptions extends JobFilter {
  /** `nextCursor` of the page before. */
  cursor?: string | null;
  /** Counts by status; true unless told. */
  includeStats?: boolean;
  /** Health of the queue; false unless told. */
  includeHealth?: boolean;
}

export interface WaitOptions extends CallOptions {
  /** Milliseconds after which waiting ends with a `TimeoutError`; for ever unless told. */
  timeout?: number;
  /** Called with the job when it is first read and whenever it has changed. */
  onProgress?: (job: Job) => void;
  /** Throw `JobEndedError` where the job has failed or was cancelled; false unless told. */
  throwOnFailure?: boolean;
  /** First and longest pause between two looks, in milliseconds; 250 and 10,000 unless told. */
  pauses?: { first?: number; longest?: number };
}

export interface WebhookOptions extends CallOptions {
  /** All but `job.progress` and `crawl.page` unless told. */
  events?: EventType[];
  /** Whose events; `default` unless told. */
  customerId?: string;
}

/** What is to become of a webhook; what is not named stays. */
export interface WebhookChange {
  url?: string;
  events?: EventType[];
  /** False delivers nothing until it is true again. */
  enabled?: boolean;
}

export interface WebhookFilter extends CallOptions {
  customerId?: string;
  /** Webhooks of one page, 1 to 100. */
  limit?: number;
}

export interface DeliveryOptions extends CallOptions {
  /** Deliveries of one page, 1 to 100. */
  limit?: number;
}

export interface ResultOptions extends CallOptions {
  /** Pages of one answer, 1 to 1000. */
  limit?: number;
}
