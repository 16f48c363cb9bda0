// A service of two well-known parts, for comparison: `serve` answers POST /api/jobs and adds a job
// to the queue; `times` adds jobs one after another and follows each to its end.

import http from 'node:http';
import { Queue, QueueEvents, Worker } from 'bullmq';
import fastify from 'fastify';

const JOBS = 200;
const WARM_UP = 20;

const [mode, redisPort, apiPort] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(redisPort), maxRetriesPerRequest: null };

const percentile = (times, share) =>
  times.toSorted((one, other) => one - other)[Math.ceil(times.length * share) - 1];

const line = (name, value) => console.log(`  ${name.padEnd(48)}${value.toFixed(2).padStart(13)} ms`);

async function serve() {
  const queue = new Queue('creates', { connection });
  const app = fastify();
  const schema = {
    body: {
      type: 'object',
      required: ['type', 'url'],
      properties: {
        type: { const: 'single-page' },
        url: { type: 'string', maxLength: 2048 },
        customerId: { type: 'string', maxLength: 128 },
      },
    },
  };
  app.post('/api/jobs', { schema }, async (request, reply) => {
    const url = new URL(request.body.url).href;
    const job = await queue.add('scrape', { ...request.body, url });
    reply.code(201);
    return {
      success: true,
      jobId: job.id,
      type: request.body.type,
      url,
      statusUrl: `/api/jobs/${job.id}`,
      timestamp: new Date().toISOString(),
    };
  });
  await app.listen({ host: '127.0.0.1', port: Number(apiPort) });
}

async function times() {
  const page = '<title>A small page</title><p>With a sentence, as pages have.</p>';
  const site = http.createServer((_, response) => response.end(page));
  await new Promise((ready) => site.listen(0, '127.0.0.1', ready));
  const address = `http://127.0.0.1:${site.address().port}`;

  const queue = new Queue('times', { connection });
  const events = new QueueEvents('times', { connection });
  const fetchPage = async (job) => {
    const html = await (await fetch(job.data.url)).text();
    const title = /<title>([^<]*)/.exec(html)?.[1];
    return { title, text: html.replace(/<[^>]*>/g, '') };
  };
  const worker = new Worker('times', fetchPage, { connection, concurrency: 4 });
  await Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);

  const added = [];
  const completed = [];
  for (let number = 0; number < WARM_UP + JOBS; number += 1) {
    const began = performance.now();
    const job = await queue.add('scrape', { type: 'single-page', url: `${address}/${number}` });
    const taken = performance.now();
    await job.waitUntilFinished(events);
    if (number >= WARM_UP) {
      added.push(taken - began);
      completed.push(performance.now() - began);
    }
  }
  console.log('\nFastify and BullMQ, Redis with appendfsync always\n');
  line('add without HTTP, p50', percentile(added, 0.5));
  line('add without HTTP, p99', percentile(added, 0.99));
  line('added to completed, idle, p50', percentile(completed, 0.5));
  line('added to completed, idle, p99', percentile(completed, 0.99));
  await worker.close();
  await Promise.all([queue.close(), events.close()]);
  site.close();
  site.closeAllConnections();
}

await (mode === 'serve' ? serve() : times());
