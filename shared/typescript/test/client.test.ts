// The client against a live service.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { configure, Harvestman, HarvestmanError, hasEnded, type Job, JobEndedError, JobPriority, JobUtils } from 'harvestman';

import { Service } from './service.js';

let service: Service;
let client: Harvestman;

before(async () => {
  service = await Service.start();
  client = new Harvestman({ baseUrl: `${service.url}/` });
});

after(() => service.stop());

/** What a rejected call rejects with. */
async function refusal(call: Promise<unknown>): Promise<HarvestmanError> {
  const error = await call.then(
    () => assert.fail('it was not refused'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof HarvestmanError, String(error));
  return error;
}

test('a page is scraped, waited for and read', async () => {
  const created = await client.createSinglePageJob(service.site.url('/tea'), {
    customerId: 'reader',
    priority: JobPriority.HIGH,
    metadata: { source: 'test' },
    config: { fields: { price: { selector: '.price', dataType: 'number' } } },
  });
  assert.equal(created.success, true);
  const job = await client.waitForJob(created.jobId);
  assert.equal(job.status, 'completed');
  assert.equal(job.priority, 'high');
  assert.deepEqual(job.metadata, { source: 'test' });
  assert.ok(hasEnded(job));
  const pages = [];
  for await (const page of client.results(created.jobId, { limit: 10 })) pages.push(page);
  assert.equal(pages.length, 1);
  assert.equal(pages[0]?.title, 'Page /tea');
  assert.equal(pages[0]?.fields['price'], 4.5);
});

test('an equal job is found instead of made twice', async () => {
  const url = service.site.url('/twice');
  const first = await client.createSinglePageJob(url, { delay: 3_600_000 });
  const second = await client.createSinglePageJob(url);
  assert.equal(second.jobId, first.jobId);
  assert.equal(second.deduplicated, true);
});

test('progress is told once for each change and unchanged jobs are not read again', async () => {
  const { jobId } = await client.createSinglePageJob(service.site.url('/slow'));
  const statuses: number[] = [];
  const counting = new Harvestman({
    baseUrl: service.url,
    fetch: async (...call) => {
      const response = await fetch(...call);
      statuses.push(response.status);
      // The page comes once the client has asked in vain.
      if (response.status === 304) service.site.release();
      return response;
    },
  });
  const told: Job[] = [];
  const job = await counting.waitForJob(jobId, {
    onProgress: (job) => told.push(job),
    pauses: { first: 20, longest: 50 },
  });
  assert.equal(job.status, 'completed');
  assert.equal(told.length, statuses.filter((status) => status === 200).length);
  assert.notEqual(told[0]?.status, 'completed');
  assert.equal(told.at(-1), job);
});

test('waiting ends with its signal and with its time', async () => {
  const { jobId } = await client.createSinglePageJob(service.site.url('/later'), { delay: 3_600_000 });
  const controller = new AbortController();
  const waiting = client.waitForJob(jobId, {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('enough')),
  });
  await assert.rejects(waiting, /^Error: enough$/);
  await assert.rejects(client.waitForJob(jobId, { timeout: 50 }), { name: 'TimeoutError' });
  await assert.rejects(client.getJob(jobId, { signal: AbortSignal.abort() }), { name: 'AbortError' });
});

test('a failed job is an answer, or an error where that is asked for', async () => {
  const { jobId } = await client.createSinglePageJob(service.site.url('/missing'));
  const job = await client.waitForJob(jobId);
  assert.equal(job.status, 'failed');
  assert.match(job.failedReason ?? '', /^http_404: /);
  const thrown = client.waitForJob(jobId, { throwOnFailure: true });
  await assert.rejects(thrown, (error) => error instanceof JobEndedError && error.job.id === jobId);
});

test('jobs are listed over as many pages as there are', async () => {
  for (let number = 0; number < 7; number += 1) {
    await client.createSinglePageJob(service.site.url(`/listed/${number}`), { customerId: 'lister' });
  }
  const urls = [];
  for await (const job of client.listJobs({ customerId: 'lister', limit: 3 })) urls.push(job.url);
  const expected = [6, 5, 4, 3, 2, 1, 0].map((number) => service.site.url(`/listed/${number}`));
  assert.deepEqual(urls, expected);
  const filter = { customerId: 'lister', status: ['paused', 'cancelled'], type: 'single-page' } as const;
  for await (const job of client.listJobs({ ...filter, status: [...filter.status] })) {
    assert.fail(`${job.id} is neither`);
  }
  const list = await client.getJobs({ customerId: 'lister', limit: 1, includeHealth: true });
  assert.equal(list.jobs.length, 1);
  assert.equal(typeof list.stats?.waiting, 'number');
  assert.equal(typeof list.health?.queue.isHealthy, 'boolean');
});

test('every problem of a request is in its error', async () => {
  const error = await refusal(client.createSinglePageJob('nonsense', { attempts: 11 }));
  assert.equal(error.status, 400);
  assert.ok(Array.isArray(error.details));
  const fields = error.details.map((problem) => problem.field);
  assert.deepEqual(fields.sort(), ['attempts', 'url']);
  assert.match(error.message, /^Invalid job data: .*url: Invalid URL format/);
  const missing = await refusal(client.getJob('job_123'));
  assert.equal(missing.status, 404);
  assert.equal(missing.details, 'No job found with ID: job_123');
  assert.equal(missing.retryable, false);
});

test('a service that is not there is an error without a status', async () => {
  const nobody = new Harvestman({ baseUrl: 'http://127.0.0.1:9', tries: 2 });
  const error = await refusal(nobody.getJobs());
  assert.equal(error.status, 0);
  assert.ok(error.cause instanceof Error);
  assert.throws(() => new Harvestman({ baseUrl: 'example.com' }), TypeError);
});

test('a limit is kept to, and said where the patience ends', async () => {
  const limited = await Service.start('--creates-per-minute', '1');
  try {
    const impatient = new Harvestman({ baseUrl: limited.url, tries: 1 });
    await impatient.createSinglePageJob(limited.site.url('/1'));
    const error = await refusal(impatient.createSinglePageJob(limited.site.url('/2')));
    assert.equal(error.status, 429);
    assert.ok(error.retryable && (error.retryAfter ?? 0) >= 1, String(error.retryAfter));
  } finally {
    await limited.stop();
  }
});

test('a call is made again after the time that the service names', async () => {
  const answers = [
    () => Promise.reject(new TypeError('fetch failed')),
    () => Promise.resolve(Response.json({ error: 'a' }, { status: 503, headers: { 'retry-after': '0' } })),
    () => Promise.resolve(Response.json({ error: 'b', retryAfter: 0 }, { status: 429 })),
    () => Promise.resolve(Response.json({ jobId: 'job_1' }, { status: 201 })),
  ];
  const seen: RequestInit[] = [];
  const flaky = new Harvestman({
    apiKey: 'secret',
    fetch: (_, init) => {
      seen.push(init ?? {});
      return answers[seen.length - 1]!();
    },
  });
  const created = await flaky.createSinglePageJob('http://site.example/', { idempotencyKey: 'once' });
  assert.equal(created.jobId, 'job_1');
  assert.equal(seen.length, 4);
  for (const init of seen) {
    const headers = init.headers as Record<string, string>;
    assert.equal(headers['authorization'], 'Bearer secret');
    assert.equal(headers['idempotency-key'], 'once');
  }
});

test('a create that might be made twice is not repeated in the dark', async () => {
  let calls = 0;
  const deaf = new Harvestman({
    fetch: () => {
      calls += 1;
      return Promise.reject(new TypeError('fetch failed'));
    },
  });
  const create = deaf.createSinglePageJob('http://site.example/', { deduplicate: false, idempotencyKey: false });
  assert.equal((await refusal(create)).status, 0);
  assert.equal(calls, 1);
});

test('a batch makes a job of each address, and one of two equal ones', async () => {
  const urls = ['/b/1', '/b/2', '/b/1'].map((path) => service.site.url(path));
  const { results } = await client.createBatchJobs(urls, 'single-page', { customerId: 'batcher' });
  assert.deepEqual([results.total, results.successful, results.deduplicated], [3, 2, 1]);
  assert.equal(results.jobs[2]?.jobId, results.jobs[0]?.jobId);
  const key = { customerId: 'batcher', idempotencyKey: 'the-same' };
  const first = await client.createSinglePageJob(service.site.url('/key'), { ...key, deduplicate: false });
  const second = await client.createSinglePageJob(service.site.url('/key'), { ...key, deduplicate: false });
  assert.equal(second.jobId, first.jobId);
});

test('what the service does not do yet is refused, never ignored', async () => {
  const error = await refusal(client.createBatchJobs([service.site.url('/')], 'navigate'));
  assert.equal(error.status, 400);
  assert.match(error.message, /not available yet/);
});

test('a job recurs, and its schedule is read, changed, paused, run and deleted', async () => {
  const options = { timezone: 'Europe/Berlin', customerId: 'planner', startDate: new Date('2030-01-01') };
  const created = await client.createRecurringJob(service.site.url('/often'), 'single-page', '0 2 * * *', options);
  assert.equal(created.type, 'recurring-single-page');
  assert.equal(created.nextRuns[0], '2030-01-01T01:00:00.000Z');
  const id = created.scheduleId;
  const schedule = await client.getSchedule(id);
  assert.deepEqual([schedule.timezone, schedule.status, schedule.fired], ['Europe/Berlin', 'active', 0]);
  const changed = await client.changeSchedule(id, { cronPattern: '@daily', timezone: null, name: 'Daily' });
  assert.deepEqual([changed.cronPattern, changed.timezone, changed.name], ['@daily', 'UTC', 'Daily']);
  assert.equal((await client.pauseSchedule(id)).status, 'paused');
  assert.deepEqual((await client.getSchedule(id)).nextRuns, []);
  assert.equal((await client.resumeSchedule(id)).status, 'active');
  const run = await client.runSchedule(id);
  assert.equal((await client.waitForJob(run.jobId)).status, 'completed');
  const [only] = await client.scheduleRuns(id);
  assert.deepEqual([only?.outcome, only?.trigger, only?.jobId], ['fired', 'manual', run.jobId]);
  const listed: string[] = [];
  for await (const one of client.listSchedules({ customerId: 'planner', limit: 1 })) listed.push(one.id);
  assert.deepEqual(listed, [id]);
  assert.equal((await client.getSchedules({ status: 'paused' })).schedules.length, 0);
  assert.equal((await client.deleteSchedule(id)).status, 'deleted');
  assert.equal((await refusal(client.getSchedule(id))).status, 404);
});

test('a crawl and a refresh are asked for with all that they take', async () => {
  const options = { maxPages: 5, depth: 1, exclude: ['*.pdf'], formats: ['text' as const], delay: 3_600_000 };
  const crawl = await client.createFullCrawlJob(service.site.url('/crawled'), options);
  assert.equal(crawl.type, 'full-crawl');
  const job = await client.getJob(crawl.jobId);
  assert.deepEqual([job.options.maxPages, job.options.depth], [5, 1]);
  assert.deepEqual([job.options.exclude, job.options.formats], [['*.pdf'], ['text']]);
  assert.deepEqual(job.counters, { discovered: 0, queued: 0, done: 0, failed: 0, skipped: 0 });
  const seen = { lastCrawledAt: new Date(0), fullRefresh: true, delay: 3_600_000 };
  const refresh = await client.createRefreshJob(crawl, seen);
  assert.equal(refresh.url, service.site.url('/crawled'));
  const { options: refreshed } = await client.getJob(refresh.jobId);
  assert.equal(refreshed.jobId, crawl.jobId);
  assert.equal(refreshed.lastCrawledAt, '1970-01-01T00:00:00.000Z');
  const error = await refusal(client.createFullCrawlJob(service.site.url('/'), { maxPages: 0 }));
  assert.equal(error.status, 400);
});

test('the shared client is where it is told to be', async () => {
  configure({ baseUrl: service.url });
  const { jobId } = await JobUtils.createSinglePageJob(service.site.url('/shared'));
  assert.equal((await JobUtils.waitForJob(jobId)).status, 'completed');
  assert.equal((await JobUtils.getJob(jobId)).id, jobId);
  for await (const page of JobUtils.results(jobId)) assert.equal(page.status, 200);
});
