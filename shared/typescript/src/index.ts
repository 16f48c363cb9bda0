// What the package gives: a client, and `JobUtils`, which is one for the whole program.

import { Harvestman } from './client.js';
import type { ClientOptions } from './transport.js';

export { Harvestman, hasEnded, JobEndedError } from './client.js';
export { HarvestmanError, type Problem } from './error.js';
export type { components, operations, paths } from './schema.js';
export type { CallOptions, ClientOptions } from './transport.js';
export * from './types.js';

let shared: Harvestman | undefined;

/**
 * Says where the service of `JobUtils` is. What is not told is read from `HARVESTMAN_URL` and
 * `HARVESTMAN_API_KEY` where there is an environment.
 */
export function configure(options: ClientOptions = {}): void {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  const baseUrl = options.baseUrl ?? (process?.env?.['HARVESTMAN_URL'] || undefined);
  const apiKey = options.apiKey ?? (process?.env?.['HARVESTMAN_API_KEY'] || undefined);
  shared = new Harvestman({ ...options, ...(baseUrl && { baseUrl }), ...(apiKey && { apiKey }) });
}

function client(): Harvestman {
  if (!shared) configure();
  return shared!;
}

/** The methods of `Harvestman`, on a client that the whole program shares; see `configure`. */
export const JobUtils: Pick<
  Harvestman,
  | 'createSinglePageJob'
  | 'createBatchJobs'
  | 'createFullCrawlJob'
  | 'createRefreshJob'
  | 'createRecurringJob'
  | 'getJob'
  | 'getJobs'
  | 'waitForJob'
  | 'listJobs'
  | 'results'
  | 'createWebhook'
  | 'getWebhook'
  | 'listWebhooks'
  | 'changeWebhook'
  | 'rotateWebhook'
  | 'deleteWebhook'
  | 'listDeliveries'
  | 'redeliver'
  | 'getSchedules'
  | 'listSchedules'
  | 'getSchedule'
  | 'changeSchedule'
  | 'pauseSchedule'
  | 'resumeSchedule'
  | 'deleteSchedule'
  | 'runSchedule'
  | 'scheduleRuns'
> = {
  createSinglePageJob: (...call) => client().createSinglePageJob(...call),
  createBatchJobs: (...call) => client().createBatchJobs(...call),
  createFullCrawlJob: (...call) => client().createFullCrawlJob(...call),
  createRefreshJob: (...call) => client().createRefreshJob(...call),
  createRecurringJob: (...call) => client().createRecurringJob(...call),
  getJob: (...call) => client().getJob(...call),
  getJobs: (...call) => client().getJobs(...call),
  waitForJob: (...call) => client().waitForJob(...call),
  listJobs: (...call) => client().listJobs(...call),
  results: (...call) => client().results(...call),
  createWebhook: (...call) => client().createWebhook(...call),
  getWebhook: (...call) => client().getWebhook(...call),
  listWebhooks: (...call) => client().listWebhooks(...call),
  changeWebhook: (...call) => client().changeWebhook(...call),
  rotateWebhook: (...call) => client().rotateWebhook(...call),
  deleteWebhook: (...call) => client().deleteWebhook(...call),
  listDeliveries: (...call) => client().listDeliveries(...call),
  redeliver: (...call) => client().redeliver(...call),
  getSchedules: (...call) => client().getSchedules(...call),
  listSchedules: (...call) => client().listSchedules(...call),
  getSchedule: (...call) => client().getSchedule(...call),
  changeSchedule: (...call) => client().changeSchedule(...call),
  pauseSchedule: (...call) => client().pauseSchedule(...call),
  resumeSchedule: (...call) => client().resumeSchedule(...call),
  deleteSchedule: (...call) => client().deleteSchedule(...call),
  runSchedule: (...call) => client().runSchedule(...call),
  scheduleRuns: (...call) => client().scheduleRuns(...call),
};
