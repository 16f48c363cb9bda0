//! Operations on many jobs: begun by a request, carried on by the sweep, in steps that each end
//! with one write of how far they are. A step that is killed is repeated; what it does to a job it
//! does once, whoever else is at it.

use std::time::Duration;

use crate::app::App;
use crate::app::hold::admins_only;
use crate::app::sweep::Swept;
use crate::caller::Caller;
use crate::error::Error;
use crate::id::{OperationId, RowId};
use crate::job::DueList;
use crate::operation::{Export, Kind, NewOperation, Operation};
use crate::ports::Advanced;
use crate::rate::Call;
use crate::spec::CustomerId;
use crate::transition::Mode;

/// Steps of one operation in one round of a sweep.
const STEPS: usize = 5;
/// Operations in one round of a sweep.
const AT_ONCE: usize = 16;
/// No operation is taken up in a round that has gone on for longer than this.
const ROUND: Duration = Duration::from_secs(5);
/// A step is over long before: a hundred jobs, eight at a time.
const LEASE: Duration = Duration::from_mins(1);

impl App {
    /// Begins an operation: when this answers, it will come to its end. Its first step is done
    /// before.
    pub async fn operate(&self, caller: &Caller, new: &NewOperation) -> Result<Operation, Error> {
        self.admit_caller(Call::Create, caller, None).await?;
        if new.kind.is_for_admins() {
            admins_only(caller)?;
        }
        let customer = caller.reach(new.customer.as_ref())?;
        let operation = self.begin(caller, new, customer).await?;
        Ok(self.first_step(operation).await)
    }

    /// An operation that the caller has begun, or any for admins.
    pub async fn operation(
        &self,
        caller: &Caller,
        id: &OperationId,
    ) -> Result<Option<Operation>, Error> {
        self.admit_caller(Call::Read, caller, None).await?;
        let now = self.now();
        let found = self.ports.operations.operation(id).await?;
        Ok(found.filter(|operation| {
            let own = operation.asked_by.as_ref() == caller.customer();
            !operation.is_expired(now) && (own || caller.is_admin())
        }))
    }

    /// Begins an operation under an id that says what it is about. Where others begin it in the
    /// same moment, one of them wins.
    pub(super) async fn begin_export(
        &self,
        export: Export,
        owner: CustomerId,
    ) -> Result<Operation, Error> {
        let stamp = self.stamp();
        let lease_until = stamp.now + LEASE;
        let new = NewOperation::of(Kind::Export, Some(owner.clone()));
        let (id, customer) = (export.operation(), new.customer.clone());
        let operation = Operation {
            export: Some(export),
            ..Operation::new(id, stamp, lease_until, &new, customer, Some(owner))
        };
        self.ports.operations.begin(&operation, &[]).await?;
        tracing::info!(operation = %operation.id, kind = "export", "begun");
        Ok(self.first_step(operation).await)
    }

    pub(super) async fn begin(
        &self,
        caller: &Caller,
        new: &NewOperation,
        customer: Option<CustomerId>,
    ) -> Result<Operation, Error> {
        let stamp = self.stamp();
        let id = OperationId::new(stamp.now, self.ports.entropy.next());
        let asked_by = caller.customer().cloned();
        let lease_until = stamp.now + LEASE;
        let operation = Operation::new(id, stamp, lease_until, new, customer, asked_by);
        self.ports.operations.begin(&operation, &new.jobs).await?;
        tracing::info!(operation = %operation.id, kind = operation.kind.as_str(), "begun");
        Ok(operation)
    }

    /// The step that a request does itself, and the operation as it is then. Where it goes wrong, the sweep goes on all the same.
    pub(super) async fn first_step(&self, operation: Operation) -> Operation {
        match self.run(operation.clone(), 1).await {
            Ok(operation) => operation,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(operation = %operation.id, error, "a step broke off");
                operation
            }
        }
    }

    /// Steps of an operation that this process holds, until it has ended or changed hands; gives
    /// it free after the last.
    async fn run(&self, mut operation: Operation, steps: usize) -> Result<Operation, Error> {
        for left in (0..steps).rev() {
            let step = self.step(&operation).await?;
            let stamp = self.stamp();
            let lease_until = (left > 0).then(|| stamp.now + LEASE);
            let next = operation.advanced(stamp, step, lease_until);
            match self.ports.operations.advance(&operation, &next).await? {
                Advanced::Written => operation = next,
                // This was too slow, and somebody else is at it.
                Advanced::Lost(Some(row)) => return Ok(*row),
                Advanced::Lost(None) => return Ok(operation),
            }
            if operation.finished_at.is_some() {
                let (kind, progress) = (operation.kind.as_str(), operation.progress);
                tracing::info!(operation = %operation.id, kind, ?progress, "operation ended");
                break;
            }
        }
        Ok(operation)
    }

    /// One step of an operation that nobody is at, by whoever asks how far it is.
    pub(super) async fn carry_on(&self, operation: Operation) -> Result<Operation, Error> {
        let stamp = self.stamp();
        let Some(next) = operation.taken(stamp, stamp.now + LEASE) else {
            return Ok(operation);
        };
        match self.ports.operations.advance(&operation, &next).await? {
            Advanced::Written => Ok(self.first_step(next).await),
            Advanced::Lost(Some(row)) => Ok(*row),
            Advanced::Lost(None) => Ok(operation),
        }
    }

    /// Goes on with the operations that are due.
    pub(super) async fn sweep_operations(
        &self,
        mode: Mode,
        swept: &mut Swept,
    ) -> Result<(), Error> {
        let until = match mode {
            Mode::Routine => self.now(),
            // Whoever held one is gone.
            Mode::Restart => self.now() + LEASE,
            Mode::Shutdown => return Ok(()),
        };
        let due = self.ports.store.due(DueList::Operation, 0, until, AT_ONCE);
        let due = due.await?;
        swept.more |= due.len() == AT_ONCE;
        let begun = self.now();
        let mut first_error = None;
        for id in due {
            let RowId::Operation(id) = id else { continue };
            if self.now().since(begun) > ROUND {
                swept.more = true;
                break;
            }
            if let Err(error) = self.sweep_operation(&id, mode, swept).await {
                // What cannot be helped must not keep the others from going on.
                tracing::error!(operation = %id, error = &error as &dyn std::error::Error, "a step broke off");
                first_error = first_error.or(Some(error));
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    async fn sweep_operation(
        &self,
        id: &OperationId,
        mode: Mode,
        swept: &mut Swept,
    ) -> Result<(), Error> {
        let Some(operation) = self.ports.operations.operation(id).await? else {
            return Ok(());
        };
        let stamp = self.stamp();
        if operation.is_expired(stamp.now) {
            self.ports.operations.remove(&operation).await?;
            swept.purged += 1;
            return Ok(());
        }
        let next = match mode {
            Mode::Restart => operation.released(stamp),
            _ => operation.taken(stamp, stamp.now + LEASE),
        };
        let Some(next) = next else { return Ok(()) };
        let advanced = self.ports.operations.advance(&operation, &next).await?;
        if advanced != Advanced::Written {
            return Ok(());
        }
        swept.written += 1;
        if mode == Mode::Routine {
            let after = self.run(next, STEPS).await?;
            swept.more |= after.finished_at.is_none();
        }
        Ok(())
    }
}
