import { JobUtils, JobPriority } from 'harvestman';

// Create a high-priority job for a new customer
const result = await JobUtils.createSinglePageJob('https://example.com', {
  customerId: 'customer-123',
  isNewCustomer: true,
  priority: JobPriority.HIGH,
  metadata: { source: 'dashboard' }
});

console.log(JSON.stringify(result));
