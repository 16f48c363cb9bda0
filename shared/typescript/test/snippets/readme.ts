import { HarvestmanError, JobPriority, JobUtils } from 'harvestman';

try {
  const { jobId } = await JobUtils.createSinglePageJob('https://example.com', {
    priority: JobPriority.HIGH,
    config: { fields: { price: { selector: '.price', dataType: 'number' } } },
  });
  const job = await JobUtils.waitForJob(jobId, {
    timeout: 60_000,
    onProgress: (job) => console.log(job.status, job.progress),
  });
  if (job.status === 'completed') {
    for await (const page of JobUtils.results(jobId)) console.log(page.title, page.fields);
  } else {
    console.log(job.failedReason);
  }
} catch (error) {
  if (error instanceof HarvestmanError) console.error(error.status, error.details);
  else throw error;
}
