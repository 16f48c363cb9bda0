import { JobUtils } from 'harvestman';

// Create batch jobs
const batchResult = await JobUtils.createBatchJobs(
  ['https://example.com/1', 'https://example.com/2'],
  'single-page',
  {
    customerId: 'customer-123',
    staggerDelay: 2000
  }
);

console.log(JSON.stringify(batchResult));
