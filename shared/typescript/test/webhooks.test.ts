// Webhooks: the calls against a live service, and a delivery against the package that receivers use.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, mock, test } from 'node:test';

import { Harvestman, HarvestmanError } from 'harvestman';
import { Webhook } from 'standardwebhooks';

import { Service } from './service.js';

let service: Service;
let client: Harvestman;

before(async () => {
  service = await Service.start();
  client = new Harvestman({ baseUrl: service.url });
});

after(() => service.stop());

test('a webhook is made, changed, listed, rotated and deleted', async () => {
  const url = service.site.url('/hook');
  const made = await client.createWebhook(url, { events: ['job.completed'], customerId: 'ann' });
  assert.match(made.secret!, /^whsec_/);
  assert.deepEqual(made.events, ['job.completed']);
  const listed = [];
  for await (const webhook of client.listWebhooks({ customerId: 'ann', limit: 1 })) listed.push(webhook);
  assert.deepEqual(listed, [await client.getWebhook(made.id)]);
  assert.equal(listed[0]?.secret, undefined);
  const rotated = await client.rotateWebhook(made.id);
  assert.match(rotated.secret!, /^whsec_/);
  assert.notEqual(rotated.secret, made.secret);
  const changed = await client.changeWebhook(made.id, { enabled: false });
  assert.equal(changed.status, 'disabled');
  const deliveries = [];
  for await (const delivery of client.listDeliveries(made.id)) deliveries.push(delivery);
  assert.deepEqual(deliveries, []);
  await client.deleteWebhook(made.id);
  await assert.rejects(client.getWebhook(made.id), (error) => error instanceof HarvestmanError && error.status === 404);
});

test('a webhook to a private address is refused', async () => {
  await assert.rejects(
    client.createWebhook('http://169.254.169.254/hook'),
    (error) => error instanceof HarvestmanError && error.status === 400,
  );
});

test('a job with a webhook of its own is answered with the secret', async () => {
  const { webhookSecret } = await client.createSinglePageJob(service.site.url('/told'), {
    webhook: { url: service.site.url('/hook'), events: ['job.completed'] },
    delay: 3_600_000,
  });
  assert.match(webhookSecret!, /^whsec_/);
});

test('what happens to a job is posted to its webhook and verifies with the package for receivers', async () => {
  const { jobId, webhookSecret } = await client.createSinglePageJob(service.site.url('/posted'), {
    webhook: { url: service.site.url('/hook'), events: ['job.created', 'job.completed'] },
  });
  const posted = await service.site.posted(2);
  const types = posted.map(({ headers, body }) => {
    const event = new Webhook(webhookSecret!).verify(body, headers) as { id: string; type: string; jobId: string };
    assert.equal(event.jobId, jobId);
    assert.equal(event.id, headers['webhook-id']);
    assert.throws(() => new Webhook(webhookSecret!).verify(`${body} `, headers));
    return event.type;
  });
  assert.deepEqual(types.sort(), ['job.completed', 'job.created']);
});

test('a delivery verifies with the package for receivers, and a changed one does not', async () => {
  const file = new URL('../../../../tests/it/snapshots/delivery.json', import.meta.url);
  const { secrets, headers, body } = JSON.parse(await readFile(file, 'utf8'));
  const sent = Number(headers['webhook-timestamp']) * 1_000;
  const refused = (secret: string, body: string, changed: Record<string, string> = {}) =>
    assert.throws(() => new Webhook(secret).verify(body, { ...headers, ...changed }));
  mock.timers.enable({ apis: ['Date'], now: sent + 60_000 });
  try {
    assert.equal(secrets.length, 2, 'in the middle of a rotation');
    for (const secret of secrets) {
      const event = new Webhook(secret).verify(body, headers) as { type: string };
      assert.equal(event.type, 'job.completed');
      refused(secret, body.replace('job.completed', 'job.failed'));
      refused(secret, `${body} `);
      refused(secret, body, { 'webhook-id': 'evt_0' });
      refused(secret, body, { 'webhook-timestamp': String(sent / 1_000 + 1) });
      refused(secret, body, { 'webhook-signature': 'v1,AAAA' });
    }
    refused(`whsec_${'A'.repeat(43)}=`, body);
    mock.timers.setTime(sent + 600_000);
    refused(secrets[0], body);
  } finally {
    mock.timers.reset();
  }
});
