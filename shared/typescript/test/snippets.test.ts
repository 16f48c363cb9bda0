// The printed examples, run as programs of their own: the environment says where the service is.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Service } from './service.js';

let service: Service;

before(async () => {
  service = await Service.start();
});

after(() => service.stop());

async function run(name: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const path = fileURLToPath(new URL(`./snippets/${name}.js`, import.meta.url));
  const program = spawn(process.execPath, [path], {
    env: { ...process.env, HARVESTMAN_URL: service.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(program, 'exit');
  const [stdout, stderr] = await Promise.all([text(program.stdout), text(program.stderr)]);
  const [code] = await ended;
  return { code, stdout, stderr };
}

test('the printed job for a new customer is created', async () => {
  const { code, stdout, stderr } = await run('single-page');
  assert.equal(code, 0, stderr);
  const created = JSON.parse(stdout);
  assert.equal(created.success, true);
  assert.equal(created.url, 'https://example.com');
  const job = await (await fetch(service.url + created.statusUrl)).json();
  assert.equal(job.priority, 'high');
  assert.equal(job.customerId, 'customer-123');
});

test('the printed batch is created', async () => {
  const { code, stdout, stderr } = await run('batch');
  assert.equal(code, 0, stderr);
  const { results } = JSON.parse(stdout);
  assert.equal(results.total, 2);
  assert.equal(results.jobs[1].url, 'https://example.com/2');
});

test('the example of the README does what it says', async () => {
  const root = new URL('../../', import.meta.url);
  const readme = await readFile(new URL('README.md', root), 'utf8');
  const example = await readFile(new URL('test/snippets/readme.ts', root), 'utf8');
  assert.equal(/```ts\n([^]*?)```/.exec(readme)?.[1], example);
  const { code, stdout, stderr } = await run('readme');
  assert.equal(code, 0, stderr);
  // The service of the tests may reach no other site than theirs.
  assert.match(stdout, /^failed 0\naddress_refused: /m);
});
